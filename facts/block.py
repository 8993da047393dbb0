"""Block devices: what is on them, and who uses them."""

from __future__ import annotations

import shlex
from shlex import quote

from pyinfra.api import FactBase

# LVM's own view, not narrowed by a filter: a hidden physical volume would look like one without a group.
ALL_DEVICES = 'devices { filter = [ "a|.*|" ] global_filter = [ "a|.*|" ] use_devicesfile = 0 }'
# A look-up that fails must fail the fact: without it, a disk would seem to be unused (design rule 6).
PHYSICAL_VOLUMES = f"""
if command -v pvs >/dev/null; then
    echo lvm
    volumes=$(pvs --noheadings --separator ' ' --options pv_name,vg_name \\
        --config {quote(ALL_DEVICES)}) || exit 1
    printf '%s\\n' "$volumes" | sed -n 's/^ *\\([^ ]\\)/pv \\1/p'
fi
""".strip()
TREE = "lsblk --pairs --paths --output NAME,PKNAME,TYPE,MOUNTPOINT"

# Arguments: devices. One block of lines for each.
LOOK = f"""
for given in "$@"; do
    echo "device $given"
    path=$(readlink -f "$given") && [ -e "$path" ] || continue
    echo "path $path"
    [ -b "$path" ] || continue
    size=$(blockdev --getsize64 "$path") || exit 1
    echo "size $size"
    signatures=$(wipefs --no-act --parsable "$path") || exit 1
    printf '%s\\n' "$signatures" | sed -n 's/^0x.*,/signature /p'
    tree=$({TREE} "$path") || exit 1
    printf '%s\\n' "$tree" | sed 's/^/tree /'
done
{PHYSICAL_VOLUMES}
""".strip()


class BlockDevices(FactBase[dict]):
    """What is on several block devices, in one round trip.

    Answers ``{"lvm": bool, "volumes": {physical volume: volume group or ""}, "devices": {DEVICE: {…}}}``;
    ``lvm`` says whether its tools are installed. A device has ``path`` (what a link leads to, "" when there
    is nothing), ``block`` (whether it is a block device), ``size`` (bytes), ``signatures`` (in wipefs's
    words), ``children`` (``"TYPE PATH"``: partitions, logical volumes, …) and ``mounts``.
    """

    def command(self, devices: list[str]) -> str:
        return f"LC_ALL=C sh -c {quote(LOOK)} look {' '.join(quote(device) for device in devices)}"

    def process(self, output: list[str]) -> dict:
        answer: dict = {"lvm": False, "volumes": {}, "devices": {}}
        device: dict = {}
        for line in output:
            kind, _, value = line.partition(" ")
            if kind == "device":
                device = {
                    "path": "",
                    "block": False,
                    "size": 0,
                    "signatures": [],
                    "children": [],
                    "mounts": [],
                }
                answer["devices"][value] = device
            elif kind == "path":
                device["path"] = value
            elif kind == "size":
                device.update(block=True, size=int(value))
            elif kind == "signature" and value not in device["signatures"]:
                device["signatures"].append(value)
            elif kind == "tree":
                row = _pairs(value)
                if row["MOUNTPOINT"]:
                    device["mounts"].append(row["MOUNTPOINT"])
                if row["NAME"] != device["path"]:
                    device["children"].append(f"{row['TYPE']} {row['NAME']}")
        answer["lvm"], answer["volumes"] = _volumes(output)
        return answer


# lvmdevices is as old as the devices file itself.
LVM = f"""
tree=$({TREE}) || exit 1
printf '%s\\n' "$tree" | sed 's/^/tree /'
{PHYSICAL_VOLUMES}
if [ -e /etc/lvm/devices/system.devices ] &&
    lvmconfig --typeconfig full devices/use_devicesfile | grep -q '=1'; then
    echo devices_file
    entries=$(lvmdevices) || exit 1
    printf '%s\\n' "$entries" | sed -n 's/.* DEVNAME=\\([^ ]*\\).*/entry \\1/p'
fi
""".strip()


class LvmDevices(FactBase[dict]):
    """Which devices LVM must see for the host to boot, and how it is told, in one round trip.

    Answers ``{"lvm": bool, "volumes": {physical volume: volume group or ""},
    "in_use": [physical volume of a mounted or swap volume, …], "devices_file": [device, …] or None}``.
    With a devices file (EL 9) LVM ignores filters.
    """

    def command(self) -> str:
        return f"LC_ALL=C sh -c {quote(LVM)}"

    def process(self, output: list[str]) -> dict:
        rows = [_pairs(line.removeprefix("tree ")) for line in output if line.startswith("tree ")]
        parents: dict[str, set[str]] = {}
        for row in rows:
            parents.setdefault(row["NAME"], set()).add(row["PKNAME"])
        # From every mounted device down to the disks that carry it.
        carrying = {row["NAME"] for row in rows if row["MOUNTPOINT"]}
        while grown := {parent for name in carrying for parent in parents.get(name, ())} - carrying - {""}:
            carrying |= grown
        lvm, volumes = _volumes(output)
        entries = [line.removeprefix("entry ") for line in output if line.startswith("entry ")]
        return {
            "lvm": lvm,
            "volumes": volumes,
            "in_use": sorted(carrying & set(volumes)),
            "devices_file": entries if "devices_file" in output else None,
        }


def _pairs(line: str) -> dict[str, str]:
    """``NAME="/dev/sda" MOUNTPOINT=""`` → a dictionary."""
    return dict(word.split("=", 1) for word in shlex.split(line))


def _volumes(output: list[str]) -> tuple[bool, dict[str, str]]:
    rows = [line.split() for line in output if line.startswith("pv ")]
    return "lvm" in output, {row[1]: row[2] if len(row) > 2 else "" for row in rows if len(row) > 1}
