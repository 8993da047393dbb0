"""firewalld: what a host's roles need is let in. Nothing is ever closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from cloud.firewall import missing
from facts.firewall import Firewall
from facts.reading import Unreadable, read
from operations.failure import fail

# systemd takes it for started when it has its name on D-Bus: before it has tried a rule, which a kernel
# without nf_tables refuses. It answers only after that.
START = (
    "systemctl enable firewalld && systemctl start firewalld && firewall-cmd --state >/dev/null "
    "|| { echo 'firewalld ended right after its start:' >&2; "
    "journalctl --unit=firewalld --lines=15 --no-pager --output=cat >&2; exit 1; }"
)


@operation()
def opened(openings: Mapping[str, Sequence[str]], default_zone: bool = False):
    """Have firewalld run, and let ports and protocols in: now, and after a boot.

    One that does not run is started when the ports are written, SSH's among them: whoever came in by SSH is
    not locked out.

    Args:
        openings: address of the host -> ``PORT/PROTOCOL``, ``FIRST-LAST/PROTOCOL``, or a protocol, to open
            in the zone of that address.
        default_zone: whether to open all of them in the default zone, too: an address that a bridge is about
            to take over will be in that one.

    **Example:**

    .. code:: python

        firewall.opened(name="Open the ports", openings={"192.168.56.11": ["5000/tcp", "vrrp"]})
    """
    found = read(Firewall, addresses=list(openings))
    if isinstance(found, Unreadable):
        yield fail(f"firewall: firewalld can't be asked: {found.reason}")
        return
    state = found["state"]
    if state not in ("running", "not running"):
        yield fail(
            f"firewall: 'on', but firewalld is {state or 'silent'}: install or repair it "
            "(firewall-cmd --state), or set firewall = 'off'"
        )
        return
    running = state == "running"
    commands = []
    for zone, wanted in _by_zone(openings, found, default_zone).items():
        saved, now = _commands(zone, running)
        for command, kind in ((saved, "permanent"), (now, "runtime")):
            open_ = found["open"].get(zone, {}).get(kind, [])
            lacking = missing(wanted, [port for port in open_ if port != "ssh"], ssh="ssh" in open_)
            if command and lacking:
                commands.append([*command, *(_option(port) for port in lacking)])
    if commands:
        parts = [part for command in commands for part in ("&&", *command)]
        yield StringCommand(*parts[1:])
    if not running:
        yield StringCommand(START)
    elif not found["enabled"]:
        yield StringCommand("systemctl enable firewalld")
    elif not commands:
        host.noop("firewalld runs, and lets in what the host's roles need")


def _by_zone(openings: Mapping[str, Sequence[str]], found: dict, default_zone: bool) -> dict[str, list[str]]:
    zones: dict[str, list[str]] = {}
    for address, ports in openings.items():
        zones.setdefault(found["zones"][address], []).extend(ports)
    if default_zone:
        everything = [port for ports in openings.values() for port in ports]
        zones.setdefault(found["default"], []).extend(everything)
    ssh = [f"{port}/tcp" for port in found["ssh"] or ["22"]]
    return {zone: [*ssh, *ports] for zone, ports in zones.items()}


def _commands(zone: str, running: bool) -> tuple[list, list]:
    """The command for the permanent openings, and the one for those of now."""
    name = QuoteString(f"--zone={zone}")
    if not running:
        return ["firewall-offline-cmd", name], []
    return ["firewall-cmd --permanent", name], ["firewall-cmd", name]


def _option(port: str) -> QuoteString:
    return QuoteString(f"--add-port={port}" if "/" in port else f"--add-protocol={port}")
