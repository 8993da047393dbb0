"""A translation as the files that an operator would have written."""

from __future__ import annotations

import json
import re
from typing import Any

from cloud.answers_choices import Machine, Translation
from cloud.topology import ROLES

WIDTH = 110  # as this project's own files

# The longest settings, below the others in group_data/all.py.
LAST = ("yum_repositories", "config_overrides", "resources")
# The order in an inventory.
DATA = (
    "ssh_hostname", "address", "interface", "provider_interface", "tunnel_address", "volume_devices",
)  # fmt: skip


def layout(value: Any, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """A value as Python, as `ruff format` would lay it out.

    Args:
        value: of text, numbers, lists, tuples and dictionaries.
        indent: blanks before the line that it stands in.
        before, after: what else stands in its line, in characters.
    """
    one = _line(value)
    if indent + before + len(one) + after <= WIDTH or not isinstance(value, list | tuple | dict) or not value:
        return one
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        parts = [
            f"{inner}{_line(key)}: {layout(part, indent + 4, len(_line(key)) + 2, 1)}"
            for key, part in value.items()
        ]
    else:
        parts = [f"{inner}{layout(part, indent + 4, 0, 1)}" for part in value]
    opening, closing = {list: "[]", tuple: "()", dict: "{}"}[type(value)]
    return "\n".join([opening, *(f"{part}," for part in parts), f"{' ' * indent}{closing}"])


class Name(str):
    """A name in Python, not a text."""


def _line(value: Any) -> str:
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_line(key)}: {_line(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = ", ".join(map(_line, value))
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return repr(value)


def assignment(name: str, value: Any) -> str:
    """``name = value``, laid out."""
    return f"{name} = {layout(value, before=len(name) + 3)}"


def _source(result: Translation) -> str:
    """The answer file's name, as it may stand in a docstring."""
    return re.sub(r"[^\w. -]", "_", result.answers.path.name)


def inventory(result: Translation) -> str:
    """``inventory.py``: the hosts, in groups."""
    lines = [f'"""The hosts of the packstack answer file {_source(result)}."""', ""]
    groups = {role: result.groups[role] for role in ROLES if result.groups.get(role)}
    several = [key for key in result.machines if sum(key in members for members in groups.values()) > 1]
    names = _names([result.machines[key] for key in several])
    for key in several:
        lines.append(assignment(names[key], _host(result.machines[key])))
    lines += [""] if several else []
    for role in ("controller", "database", "network", "compute", "storage"):
        if role in groups:
            members = [
                Name(names[key]) if key in names else _host(result.machines[key]) for key in groups[role]
            ]
            lines.append(assignment(role, members))
    return "\n".join(lines) + "\n"


def _host(machine: Machine) -> tuple[str, dict[str, Any]]:
    return machine.name, {name: machine.data[name] for name in DATA if name in machine.data}


def _names(machines: list[Machine]) -> dict[str, str]:
    """Key -> a name in Python that pyinfra takes for no group."""
    names = [f"_{re.sub('[^A-Za-z0-9]', '_', machine.name)}" for machine in machines]
    if len(set(names)) < len(names):
        names = [f"_host{number}" for number in range(1, len(names) + 1)]
    return {machine.key: name for machine, name in zip(machines, names, strict=True)}


def group_data(result: Translation) -> dict[str, str]:
    """``all.py``, and ``compute.py`` where there is a choice for compute hosts: name -> text."""
    lines = [f'"""The choices of the packstack answer file {_source(result)}."""', ""]
    for name, value in sorted(result.settings.items(), key=lambda item: item[0] in LAST):
        if name in LAST:
            lines.append("")
        if comment := result.comments.get(name):
            lines.append(f"# {comment}")
        lines.append(assignment(name, value))
    found = {"all.py": "\n".join(lines) + "\n"}
    if result.compute_settings:
        lines = [f'"""The choices for compute hosts of the packstack answer file {_source(result)}."""', ""]
        lines += [assignment(name, value) for name, value in result.compute_settings.items()]
        found["compute.py"] = "\n".join(lines) + "\n"
    return found


def unused(result: Translation) -> str:
    """What ``secrets.toml`` ends with: the passwords without a place, as comments."""
    if not result.unused:
        return ""
    lines = ["", "# Of the answer file, and without a use in this cloud:"]
    lines += [f"# {name} = {value}" for name, value in result.unused.items()]
    return "\n".join(lines) + "\n"
