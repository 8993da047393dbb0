"""Read the host, and refuse what can't work. Changes nothing, and runs before any host is changed."""

from pyinfra import host
from pyinfra.api.exceptions import DeployError

from cloud import lvm, preflight
from facts.block import BlockDevices
from facts.preflight import Host
from facts.reading import Unreadable, read
from tasks.context import cloud

node = cloud.node(host)

state = read(Host)
if isinstance(state, Unreadable):
    raise DeployError(f"{host.name}: can't be read: {state.reason}")

problems = preflight.problems(cloud, node, state)
devices = node.settings.volume_devices
if cloud.does("storage", host):
    disks = read(BlockDevices, devices=devices)
    if isinstance(disks, Unreadable):
        problems.append(f"volume_devices: {', '.join(devices)} can't be read: {disks.reason}")
    else:
        refusals = [lvm.refusal(device, disks, cloud.settings.volume_group) for device in devices]
        problems += [f"volume_devices: {reason}" for reason in refusals if reason]

if problems:
    lines = "".join(f"\n  - {problem}" for problem in problems)
    raise DeployError(f"{host.name} can't be deployed, nothing was changed on any host:{lines}")
