"""LVM: which disks may become part of a volume group, and LVM's own configuration file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloud.checklist import Problem


def refusal(device: str, found: Mapping[str, Any], volume_group: str) -> Problem | None:
    """Why a device must not become part of a volume group, or None (design rule 9: never destroy).

    Only a disk with nothing on it will do, one that is part of the group already, and a physical volume
    without a group and without anything else: that is what ``vgcreate`` leaves when it is killed.

    Args:
        device: as the operator names it.
        found: what :class:`facts.block.BlockDevices` answers.
        volume_group: the group that wants the device.
    """
    state = found["devices"][device]
    if not state["path"]:
        return Problem(f"{device} does not exist", "correct volume_devices, or attach the disk")
    if not state["block"]:
        return Problem(f"{device} is not a block device", "correct volume_devices")
    volumes = found["volumes"]
    if volumes.get(state["path"]) == volume_group:
        return None

    things = [*state["children"], *(f"mounted on {mount}" for mount in state["mounts"])]
    others = [signature for signature in state["signatures"] if signature != "LVM2_member"]
    if others:
        things.insert(0, f"signatures: {', '.join(others)}")
    if volumes.get(state["path"]):
        things.insert(0, f"a physical volume of the volume group {volumes[state['path']]}")
    elif "LVM2_member" in state["signatures"] and state["path"] not in volumes:
        reason = (
            "that LVM can't read" if found["lvm"] else "and lvm2, which could tell whose, is not installed"
        )
        things.insert(0, f"a physical volume {reason}")
    if not things:
        return None
    return Problem(
        f"{device} is not empty ({'; '.join(things)}), and what is on it is not ours to destroy",
        f"if nobody needs it, empty it yourself (wipefs --all {device}), otherwise change volume_devices",
    )


def pattern(device: str) -> str:
    """A filter's pattern that accepts exactly one device."""
    return f"a|^{device}$|"


def filter_of(devices: Sequence[str]) -> str:
    """The value of LVM's ``filter`` that accepts these devices only."""
    patterns = ", ".join(f'"{pattern}"' for pattern in (*map(pattern, devices), "r/.*/"))
    return f"[ {patterns} ]"


def set_filter(text: str, devices: Sequence[str]) -> str:
    """Set ``filter`` in the section ``devices`` of ``lvm.conf``, and keep everything else.

    Args:
        text: the file; "" for a new one.
        devices: the devices to accept; everything else is rejected.

    Raises:
        ValueError: the file's braces don't match.

    Source: lvm.conf(5).
    """
    setting = f"filter = {filter_of(devices)}"
    start, end = _section(text, "devices")
    if start is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}devices {{\n\t{setting}\n}}\n"
    body = text[start:end]
    spans = [token.span() for token in _TOKEN.finditer(body) if token["filter"]]
    if not spans:
        return f"{text[:start]}\n\t{setting}{text[start:]}"
    for first, last in reversed(spans):
        # The first one gets the value; LVM would take the last one's, so there must be no other.
        body = body[:first] + (setting if first == spans[0][0] else "") + body[last:]
    return text[:start] + body + text[end:]


# Comments and strings come first, so that nothing in them counts. A filter's value may take several lines.
_STRING = r'"(?:\\.|[^"\\])*"'
_TOKEN = re.compile(
    rf'#[^\n]*|(?P<filter>(?<![\w/])filter\s*=\s*(?:\[(?:{_STRING}|#[^\n]*|[^\]"#])*\]|{_STRING}))|{_STRING}|[{{}}]'
)


def _section(text: str, name: str) -> tuple[int | None, int]:
    """Where a top-level section's body begins and ends; (None, 0) when there is no such section."""
    depth, start, found = 0, None, (None, 0)
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            if depth == 0 and re.search(rf"(?:^|[\s}}]){name}\s*$", text[: token.start()]):
                start = token.end()
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth == 0 and start is not None and found == (None, 0):
                found = (start, token.start())
        if depth < 0:
            break
    if depth:
        raise ValueError("its braces don't match")
    return found
