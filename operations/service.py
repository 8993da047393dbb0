"""Units of systemd: running with their newest configuration, and answering."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from pyinfra import host
from pyinfra.api import StringCommand, operation

from facts.answering import REQUEST, HttpStatus, PortOpen, connect
from facts.reading import Unreadable, read
from facts.systemd import Units, full_name
from operations import config as configuration
from operations.failure import fail

# Arguments: what to do, seconds, units. systemctl waits for units that say when they are ready, for as long
# as each unit's own limit lasts; "timeout" makes ours the limit for all of them.
ACT = """
verb=$1 seconds=$2; shift 2
end=$(($(date +%s) + seconds))
timeout "$seconds" systemctl "$verb" "$@"
while states=$(systemctl is-active "$@" | sort -u); [ "$states" != active ]; do
    case $states in *failed*) break ;; esac
    [ "$(date +%s)" -lt "$end" ] || break
    sleep 1
done
status=0
for unit in "$@"; do
    state=$(systemctl is-active "$unit")
    [ "$state" = active ] && continue
    status=1
    echo "$unit is $state instead of active (limit: $seconds seconds). Its last words:" >&2
    journalctl --unit="$unit" --lines=15 --no-pager --output=cat >&2
done
exit $status
""".strip()


@operation()
def running(units: Sequence[str], config: Sequence[str] = (), enabled: bool = True, timeout: int = 120):
    """Have units run, with the configuration that is on the disk now.

    A unit is restarted when one of its files, or one of its drop-ins in ``/etc/systemd/system``, changed
    after its start. That is asked of the host and not of this run's operations, so that a run which died
    between the write and the restart is healed by the next one (design rule 2).

    Args:
        units: names of units, in the order in which to start them.
        config: the files they read at their start: paths, directories or globs.
        enabled: whether they start at boot.
        timeout: seconds that all of them together have to become active.

    **Example:**

    .. code:: python

        service.running(
            name="Start glance",
            units=["glance-api"],
            config=["/etc/glance/glance-api.conf"],
        )
    """
    found = read(Units, units=list(units), config=list(config))
    if isinstance(found, Unreadable):
        yield fail(f"systemd's units can't be read: {found.reason}")
        return
    states = {unit: found["units"].get(full_name(unit), {"load": "not-found"}) for unit in units}
    for unit, state in states.items():
        problem = _refusal(unit, state)
        if problem:
            yield fail(problem)
            return

    reload = any(state["reload"] for state in states.values())
    enable = [unit for unit, state in states.items() if enabled and state["enabled"] == "disabled"]
    failed = [unit for unit, state in states.items() if state["active"] == "failed"]
    stale = [
        unit
        for unit, state in states.items()
        if state["start"] and max(found["config"], state["overrides"]) > state["start"]
    ]
    start = [unit for unit, state in states.items() if state["active"] != "active" and unit not in stale]

    if not (reload or enable or start or stale):
        host.noop(f"{', '.join(units)}: running, and newer than their configuration")
        return
    if reload:
        yield StringCommand("systemctl daemon-reload")
    if enable:
        yield _systemctl("enable", enable)
    if failed:
        # A unit that failed too often is not started again before its counter is reset.
        yield _systemctl("reset-failed", failed)
    if start:
        yield _act("start", start, timeout)
    if stale:
        yield _act("restart", stale, timeout)


@operation()
def stopped(units: Sequence[str], disabled: bool = True):
    """Have units not run. A unit that the host does not know is as good as stopped.

    Args:
        units: names of units.
        disabled: whether they are also kept from starting at boot.
    """
    found = read(Units, units=list(units), config=[])
    if isinstance(found, Unreadable):
        yield fail(f"systemd's units can't be read: {found.reason}")
        return
    known = {
        unit: state
        for unit in units
        if (state := found["units"].get(full_name(unit))) and state["load"] != "not-found"
    }
    stop = [unit for unit, state in known.items() if state["active"] not in ("inactive", "failed")]
    disable = [unit for unit, state in known.items() if disabled and state["enabled"] == "enabled"]
    if not (stop or disable):
        host.noop(f"{', '.join(units)}: not running")
    if disable:
        yield _systemctl("disable", disable)
    if stop:
        yield _systemctl("stop", stop)


@operation()
def override(unit: str, content: str):
    """Change a unit by a drop-in of ours, ``/etc/systemd/system/UNIT.d/openstack.conf``.

    :func:`running` restarts the unit after it: it looks at a unit's drop-ins too.

    Args:
        unit: the unit's name.
        content: the drop-in's text.
    """
    written = False
    for command in configuration.file._inner(
        dest=f"/etc/systemd/system/{full_name(unit)}.d/openstack.conf",
        content=content,
        mode="644",
        directory=True,
    ):
        written = True
        yield command
    if written:
        yield StringCommand("systemctl daemon-reload")


@operation()
def answering(url: str, status: Sequence[int] = (200, 300, 401), timeout: int = 60, ca: str = ""):
    """Wait until a URL answers, seen from the host. Nothing to do when it already does.

    Args:
        url: ``http://`` or ``https://``. Redirects are not followed.
        status: the answers to wait for. 300 is keystone's list of versions; 401 wants a token, and so
            comes from a service that is up.
        timeout: seconds to wait at most.
        ca: file of certificates to trust; the system's own without it.
    """
    answer = read(HttpStatus, url=url, ca=ca)
    if isinstance(answer, Unreadable):
        yield fail(f"{url} can't be tried: {answer.reason}")
        return
    wanted = [str(code) for code in status]
    if answer in wanted:
        host.noop(f"{url} answers {answer}")
        return
    report = (
        "if answer not in wanted:\n"
        '    sys.exit("%s: %s after %s seconds; wanted %s" % (url, answer, sys.argv[3], " or ".join(wanted)))'
    )
    yield StringCommand(
        "python3", "-c", quote(f"{REQUEST}\n{report}"), quote(url), quote(ca), str(timeout), *wanted
    )  # fmt: skip


@operation()
def port(address: str, port: int, timeout: int = 60):
    """Wait until a TCP port accepts connections, seen from the host. Nothing to do when it already does.

    Args:
        address: IP address or name.
        port: its number.
        timeout: seconds to wait at most.
    """
    found = read(PortOpen, address=address, port=port)
    if isinstance(found, Unreadable):
        yield fail(f"port {port} of {address} can't be tried: {found.reason}")
    elif found:
        host.noop(f"{address}:{port} accepts connections")
    else:
        yield StringCommand(
            f"end=$(($(date +%s) + {timeout})); "
            f'until {connect(address, port)}; do if [ "$(date +%s)" -ge "$end" ]; then '
            f"echo {quote(f'{address}:{port}: no connection after {timeout} seconds')} >&2; exit 1; fi; "
            "sleep 1; done"
        )


def _refusal(unit: str, state: dict) -> str | None:
    if state["load"] == "not-found":
        return f"{host.name} has no unit {unit}: is its package installed?"
    if state["load"] == "masked":
        return f"{unit} is masked on {host.name}: if it may run there, unmask it (systemctl unmask {unit})"
    if state["load"] != "loaded":
        return f"systemd can't read {unit} on {host.name} ({state['load']}): systemctl status {unit} says why"
    return None


def _systemctl(verb: str, units: list[str]) -> StringCommand:
    return StringCommand("systemctl", verb, *(quote(unit) for unit in units))


def _act(verb: str, units: list[str], timeout: int) -> StringCommand:
    return StringCommand("sh", "-c", quote(ACT), verb, verb, str(timeout), *(quote(unit) for unit in units))
