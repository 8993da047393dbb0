"""Units of systemd, and when their configuration changed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from shlex import quote

from pyinfra.api import FactBase

PROPERTIES = (
    "Id", "Names", "LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload",
    "ExecMainStartTimestamp", "ActiveEnterTimestamp", "NRestarts", "DropInPaths",
)  # fmt: skip


class Units(FactBase[dict]):
    """The state of several units, and when their configuration last changed, in one round trip.

    Answers ``{"units": {NAME: {…}}, "config": seconds}``. A unit has ``load``, ``active``, ``enabled`` (as
    systemd calls them), ``reload`` (whether systemd must read its files again), ``restarts``, ``start``
    (seconds since 1970, 0 when it isn't running) and ``overrides`` (when its drop-ins in ``/etc`` last
    changed). ``config`` is the time of the last change in the configuration files, 0 without any.

    A drop-in that systemd has not read counts for ``reload``, too. Debian 12's systemd 252 starts haproxy
    without the drop-in that was just put into a new directory, and says that it need not read anything.

    A change is told by ctime, which no rename and no ``touch`` can set back. Both times are of the
    host's wall clock *at that moment*: reckoned back from a monotonic clock, a start would lie before its
    own configuration once chrony has set the clock back, or a host has slept.
    """

    def command(self, units: list[str], config: list[str]) -> str:
        """
        Args:
            units: names of units, with or without ``.service``.
            config: files, directories or globs. What does not exist is ignored.
        """
        names = " ".join(quote(unit) for unit in units)
        show = f"systemctl show --property={','.join(PROPERTIES)}"
        # Microseconds need systemd 247; before it, the second must do.
        commands = [
            "export LC_ALL=C TZ=UTC",
            f"{{ {show} --timestamp=us+utc {names} 2>/dev/null || {show} {names}; }}",
            "echo",
            _changes("overrides", [f"/etc/systemd/system/{full_name(unit)}.d" for unit in units]),
        ]
        if config:
            commands.append(_changes("config", config))
        return " && ".join(commands)

    def process(self, output: list[str]) -> dict:
        units, config, overrides = {}, 0.0, {}
        taken: dict[str, list[str]] = {}  # unit -> the drop-ins that systemd has read
        for block in "\n".join(output).split("\n\n"):
            properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            if "Id" in properties:
                unit = _unit(properties)
                # An alias (mysql, libvirt-bin) is asked for by its own name and answers with another.
                for alias in {properties["Id"], *properties.get("Names", "").split()}:
                    units[alias] = unit
                    taken[alias] = properties["DropInPaths"].split()
        for line in output:
            kind, _, rest = line.partition(" ")
            changed, _, path = rest.partition(" ")
            if kind == "config":
                config = max(config, float(changed))
            elif kind == "overrides":
                name = re.sub(r"^/etc/systemd/system/(.+?)\.d(/.*)?$", r"\1", path)
                overrides[name] = max(overrides.get(name, 0.0), float(changed))
                if path.endswith(".conf") and path not in taken.get(name, [path]):
                    units[name]["reload"] = True
        for name, changed in overrides.items():
            if name in units:
                units[name]["overrides"] = max(units[name]["overrides"], changed)
        return {"units": units, "config": config}


class Loaded(FactBase[dict]):
    """When a unit last took in its configuration, by a start or a reload, and when that last changed.

    Answers ``{"active": as systemd calls it, "loaded": seconds since 1970, "config": seconds}``. A reload
    does not move the start of a unit's process; its state goes to "reloading" and back.
    """

    def command(self, unit: str, config: list[str]) -> str:
        """
        Args:
            unit: its name, with or without ``.service``.
            config: files, directories or globs. What does not exist is ignored.
        """
        show = "systemctl show --property=ActiveState,StateChangeTimestamp"
        return (
            f"export LC_ALL=C TZ=UTC && {{ {show} --timestamp=us+utc {quote(unit)} 2>/dev/null || "
            f"{show} {quote(unit)}; }} && {_changes('config', config)}"
        )

    def process(self, output: list[str]) -> dict:
        properties = dict(
            line.split("=", 1) for line in output if "=" in line and " " not in line.split("=")[0]
        )
        stamp = properties.get("StateChangeTimestamp")
        changes = [float(line.split()[1]) for line in output if line.startswith("config ")]
        return {
            "active": properties.get("ActiveState", ""),
            "loaded": _seconds(stamp) if stamp else 0.0,
            "config": max(changes, default=0.0),
        }


class ApiAddresses(FactBase[dict]):
    """Units whose drop-in gives their API an address: unit -> address."""

    def command(self, units: list[str]) -> str:
        """
        Args:
            units: their names, without ``.service``.
        """
        paths = " ".join(quote(address_file(unit)) for unit in units)
        return (
            f'for file in {paths}; do if [ -e "$file" ]; then echo "$file" && cat "$file" || exit 1; fi; done'
        )

    def process(self, output: list[str]) -> dict:
        found, unit = {}, ""
        for line in output:
            if line.startswith("/"):
                unit = line.split("/")[-2].removesuffix(".service.d")
                found[unit] = ""
            elif line.startswith(ADDRESS):
                found[unit] = line.removeprefix(ADDRESS).strip()
        return found


ADDRESS = "Environment=OPENSTACK_API_ADDRESS="


def address_file(unit: str) -> str:
    """The drop-in of a unit that gives its API an address."""
    return f"/etc/systemd/system/{full_name(unit)}.d/openstack-api-address.conf"


def full_name(unit: str) -> str:
    """``nova-api`` → ``nova-api.service``; a name with its type stays."""
    types = (".service", ".socket", ".target", ".timer", ".path", ".mount", ".slice")
    return unit if unit.endswith(types) else f"{unit}.service"


def _changes(kind: str, paths: list[str]) -> str:
    # Everything but a glob's own characters is quoted. A directory counts too: its ctime tells of a file
    # that was removed.
    patterns = " ".join(re.sub(r"[^*?\[\]]+", lambda part: quote(part[0]), path) for path in paths)
    return f"{{ find -L {patterns} \\( -type f -o -type d \\) -printf '{kind} %C@ %p\\n' 2>/dev/null || :; }}"


def _unit(properties: dict[str, str]) -> dict:
    running = properties["ActiveState"] in ("active", "reloading", "activating")
    # A target or a mount has no process, only a moment at which it became active.
    start = properties.get("ExecMainStartTimestamp") or properties.get("ActiveEnterTimestamp")
    return {
        "load": properties["LoadState"],
        "active": properties["ActiveState"],
        "enabled": properties.get("UnitFileState", ""),
        "reload": properties.get("NeedDaemonReload") == "yes",
        "restarts": int(properties.get("NRestarts") or 0),
        "start": _seconds(start) if running and start else 0.0,
        "overrides": 0.0,
    }


def _seconds(timestamp: str) -> float:
    """``Sat 2026-11-21 10:26:02.123456 UTC`` → seconds since 1970.

    Without a fraction (old systemd) the second's end counts, so that a file written in the second of the
    start does not cause a restart for nothing.
    """
    _, day, clock, *_ = timestamp.split()
    fraction = "." in clock
    moment = datetime.strptime(f"{day} {clock}", f"%Y-%m-%d %H:%M:%S{'.%f' if fraction else ''}")
    moment = moment.replace(tzinfo=timezone.utc)  # noqa: UP017
    if not fraction:
        moment += timedelta(seconds=0.999999)
    return moment.timestamp()
