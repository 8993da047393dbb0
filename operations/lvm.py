"""LVM: the volume group for volumes, and which disks LVM looks at."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from pyinfra import host
from pyinfra.api import StringCommand, operation

from cloud import lvm
from facts.block import BlockDevices, LvmDevices
from facts.config import ConfigFile
from facts.reading import Unreadable, read
from operations import config
from operations.failure import fail


@operation()
def volume_group(volume_group: str, devices: Sequence[str]):
    """Have a volume group on empty disks, and extend it by disks that are new in the list.

    A disk with anything on it is refused, and the message says what was found. Nothing is ever removed.

    Args:
        volume_group: its name.
        devices: paths of whole disks or partitions.

    **Example:**

    .. code:: python

        lvm.volume_group(
            name="Create the volume group for volumes",
            volume_group="cinder-volumes",
            devices=["/dev/sdb"],
        )
    """
    found = read(BlockDevices, devices=list(devices))
    if isinstance(found, Unreadable):
        yield fail(f"the disks {', '.join(devices)} can't be read: {found.reason}")
        return
    problems = [problem for device in devices if (problem := lvm.refusal(device, found, volume_group))]
    if problems:
        yield fail("; ".join(map(str, problems)))
        return
    members = [path for path, group in found["volumes"].items() if group == volume_group]
    paths = dict.fromkeys(found["devices"][device]["path"] for device in devices)
    new = [path for path in paths if path not in members]
    if not new:
        host.noop(f"{volume_group} has {', '.join(devices)}")
        return
    # No --yes: should a signature appear between the look and this, LVM asks, gets no answer, and refuses.
    # The filter of an earlier run would hide a disk that is new in the list.
    only = f"devices {{ filter = {lvm.filter_of([*members, *new])} }}"
    yield StringCommand(
        "vgextend" if members else "vgcreate",
        "--config",
        quote(only),
        quote(volume_group),
        *(quote(path) for path in new),
    )


@operation()
def device_filter(accept: Sequence[str], volume_group: str, dest: str = "/etc/lvm/lvm.conf"):
    """Let LVM look at these disks only, at those of one volume group, and at those the running host needs.

    A guest may have volume groups on its disks, which are block devices of this host: without a filter the
    host takes them for its own. Where LVM keeps a devices file (EL 9), which already does that, the
    disks are added to it.

    Args:
        accept: paths of disks.
        volume_group: its present disks are accepted too: one that was taken out of the operator's list
            still carries volumes.
        dest: LVM's configuration file.
    """
    found = read(LvmDevices)
    if isinstance(found, Unreadable):
        yield fail(f"LVM's devices can't be read: {found.reason}")
    elif not found["lvm"]:
        host.noop("LVM is not installed: nothing looks at disks")
    elif found["devices_file"] is not None:
        yield from _devices_file([device for device in accept if device not in found["devices_file"]])
    else:
        members = [path for path, group in found["volumes"].items() if group == volume_group]
        yield from _filter(list(dict.fromkeys([*accept, *members, *found["in_use"]])), dest)


def _devices_file(missing: list[str]):
    if not missing:
        host.noop("LVM's devices file has all of them")
    for device in missing:
        yield StringCommand("lvmdevices", "--yes", "--adddev", quote(device))


def _filter(devices: list[str], dest: str):
    found = read(ConfigFile, path=dest)
    if isinstance(found, Unreadable):
        yield fail(f"{dest} can't be read: {found.reason}")
        return
    try:
        content = lvm.set_filter(found.content, devices)
    except ValueError as problem:
        yield fail(f"{dest}: {problem}")
        return
    yield from config.file._inner(dest=dest, content=content, mode=found.mode or "644", directory=True)
