"""Prove the cloud end to end: instances on every compute host, reached, with volumes; then nothing is left.

Everything is in a project of its own, ``smoke-test``. A run first removes what a killed one left.
"""

from pyinfra import host
from pyinfra.api.exceptions import PyinfraError
from pyinfra.operations import files

from cloud.smoke import FOLDER, IMAGE_PARTS
from operations import smoke
from tasks.context import cloud

image = cloud.settings.smoke_image
if image is None:
    raise PyinfraError("smoke_image is not set: the smoke test needs an image (see docs/settings.md)")

first = cloud.is_first("controller", host)
# The one that has a port in the provider network for certain; in a small cloud it is the controller.
probe = cloud.is_first("network", host)
stores = "cinder" in cloud.services
way = "through floating IPs" if cloud.self_service else "in the provider network"

if cloud.does("compute", host):
    smoke.look(name="Ask the compute hosts for an iSCSI initiator", cloud=cloud)
if probe:
    smoke.guests(name="Remove an earlier run's probe", cloud=cloud, what="leave")
if first:
    smoke.api(name="Remove what an earlier run left", cloud=cloud, phase="remove", store="cleared")
    for part in IMAGE_PARTS:
        if source := getattr(image, part):
            files.put(source, f"{FOLDER}/{part}", name=f"Copy the image's {part}", mode="644")
    smoke.api(name="Make project, networks, image and instances", cloud=cloud, phase="make")
    files.directory(name="Remove the copies of the image", path=FOLDER, present=False)
    smoke.api(name="Wait for the instances' boot, 9 minutes at most", cloud=cloud, phase="boot")
    smoke.api(name="Open their consoles", cloud=cloud, phase="vnc")
if probe:
    smoke.guests(name=f"Reach them {way}", cloud=cloud, what="reach")
if first and stores:
    smoke.api(name="Attach volumes, 8 minutes at most", cloud=cloud, phase="volume")
if probe and stores:
    smoke.guests(name="Write to the volumes", cloud=cloud, what="write")
if first and stores:
    smoke.api(name="Move the volumes to second instances, 8 minutes at most", cloud=cloud, phase="move")
if probe and stores:
    smoke.guests(name="Read from the volumes", cloud=cloud, what="read")
if first and stores:
    smoke.api(name="Take snapshots of the volumes", cloud=cloud, phase="snapshot")
if first:
    smoke.api(name="Reboot, stop and start the instances", cloud=cloud, phase="power")
if probe:
    smoke.guests(name="Remove the probe", cloud=cloud, what="leave")
if first:
    smoke.api(name="Remove everything", cloud=cloud, phase="remove")

smoke.traces(name="Look for what is left on the hosts", cloud=cloud)
smoke.report(name="Verdict", cloud=cloud, file=cloud.settings.smoke_report)
