"""The volume group for volumes, on empty disks only, and LVM kept away from what lies inside volumes."""

from pyinfra import host

from operations import lvm
from tasks.context import cloud

node = cloud.node(host)

if cloud.does("storage", host):
    lvm.volume_group(
        name="Create the volume group for volumes",
        volume_group=cloud.settings.volume_group,
        devices=node.settings.volume_devices,
    )

if cloud.does("storage", host) or cloud.does("compute", host):
    # A guest may have volume groups of its own on its disks, which are block devices of this host.
    lvm.device_filter(
        name="Let LVM look at this host's own disks only",
        accept=node.settings.volume_devices,
        volume_group=cloud.settings.volume_group,
    )
