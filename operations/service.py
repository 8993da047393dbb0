"""Units of systemd: running with their newest configuration, and answering."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from pyinfra import host
from pyinfra import state as run
from pyinfra.api import StringCommand, operation

from facts.answering import HttpStatus, Unreached
from facts.config import File
from facts.program import interpreter
from facts.reading import Unreadable, read
from facts.systemd import ADDRESS, ApiAddresses, Loaded, Units, address_file, full_name
from operations.config import write_command
from operations.failure import fail
from operations.turns import turn

DROP_IN = "# haproxy has this API's port at other addresses. Written by the deploy.\n[Service]\n{}\n"

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
def running(
    units: Sequence[str],
    config: Sequence[str] = (),
    enabled: bool = True,
    timeout: int = 120,
    behind: Sequence[str] = (),
    triggers: Sequence[str] = (),
):
    """Have units run, with the configuration that is on the disk now.

    A unit is restarted when one of its files, or one of its drop-ins in ``/etc/systemd/system``, changed
    after its start. That is asked of the host and not of this run's operations, so that a run which died
    between the write and the restart is healed by the next one (design rule 2).

    Args:
        units: names of units, in the order in which to start them.
        config: the files they read at their start: paths, directories or globs.
        enabled: whether they start at boot.
        timeout: seconds that all of them together have to become active, and again to get work.
        behind: where load balancers tell with 200 that they give this host work
            (:func:`cloud.frontends.told`). With it hosts restart one after the other, and none once one did
            not come back.
        triggers: units that they start when it is time, as timers do: systemd has their newest files.

    **Example:**

    .. code:: python

        service.running(
            name="Start glance",
            units=["glance-api"],
            config=["/etc/glance/glance-api.conf"],
        )
    """
    found = read(Units, units=[*units, *triggers], config=list(config))
    if isinstance(found, Unreadable):
        yield fail(f"systemd's units can't be read: {found.reason}")
        return
    states = {
        unit: found["units"].get(full_name(unit), {"load": "not-found"}) for unit in [*units, *triggers]
    }
    for unit, state in states.items():
        problem = refusal(unit, state)
        if problem:
            yield fail(problem)
            return

    reload = any(state["reload"] for state in states.values())
    states = {unit: states[unit] for unit in units}
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
    if stale and not behind:
        yield _act("restart", stale, timeout)
    elif stale:
        with turn(" ".join(units)) as failed:
            if failed:
                yield fail(
                    f"{', '.join(stale)}: left as before, as {failed} did not come back with the new one"
                )
                return
            yield _act("restart", stale, timeout)
            yield from _in_work(behind, timeout)


def _in_work(places: Sequence[str], timeout: int):
    """Wait until every load balancer gives this host work; while the plan is made nothing is waited for."""
    for url in places if run.is_executing else ():
        answer = read(HttpStatus, url=url, status=["200"], timeout=timeout, **interpreter())
        if answer != "200":
            reason = answer.reason if isinstance(answer, Unreadable) else answer
            yield fail(
                f"{url}: {reason} after {timeout} seconds: the load balancer gives {host.name} no work"
            )
            return


@operation()
def stopped(units: Sequence[str]):
    """Have units not run, now and after a boot. One that the host does not have is as wanted.

    Args:
        units: names of units.

    **Example:**

    .. code:: python

        service.stopped(name="Stop the firewall", units=["firewalld"])
    """
    found = read(Units, units=list(units), config=[])
    if isinstance(found, Unreadable):
        yield fail(f"systemd's units can't be read: {found.reason}")
        return
    states = {unit: found["units"].get(full_name(unit), {"load": "not-found"}) for unit in units}
    there = {unit: state for unit, state in states.items() if state["load"] not in ("not-found", "masked")}
    disable = [unit for unit, state in there.items() if state["enabled"].startswith("enabled")]
    stop = [unit for unit, state in there.items() if state["active"] not in ("inactive", "failed")]
    if disable:
        yield _systemctl("disable", disable)
    if stop:
        yield _systemctl("stop", stop)
    if not (disable or stop):
        host.noop(f"{', '.join(units)}: not running, and not at boot")


@operation()
def reloaded(unit: str, config: Sequence[str], check: str):
    """Have a running unit work with the configuration that is on the disk now, by a reload: no call fails.

    Asked of the host, like :func:`running`, and not of this run's operations.

    Args:
        unit: its name.
        config: the files it reads: paths, directories or globs.
        check: a command that fails when they can't be used. Without it a failed reload would look like one
            that took them in.

    **Example:**

    .. code:: python

        service.reloaded(
            name="Load haproxy's newest configuration",
            unit="haproxy",
            config=["/etc/haproxy/haproxy.cfg"],
            check="haproxy -c -f /etc/haproxy/haproxy.cfg",
        )
    """
    found = read(Loaded, unit=unit, config=list(config))
    if isinstance(found, Unreadable):
        yield fail(f"{unit} can't be looked at: {found.reason}")
    elif found["active"] != "active":
        yield fail(
            f"{unit} is {found['active'] or 'unknown'} instead of active: systemctl status {unit} says why"
        )
    elif found["loaded"] >= found["config"]:
        host.noop(f"{unit}: has its newest configuration")
    else:
        yield StringCommand(f"{check} && systemctl reload {quote(unit)}")


@operation()
def apart(apis: Sequence[str], address: str | None, proxy: str):
    """Have APIs listen at one address, so that a proxy has their ports at the others; or everywhere again.

    A drop-in tells each unit's start script. An API that runs with another one is stopped, and its own task
    starts it: only then are its ports free for the proxy. Without an address our drop-ins are taken away, and
    the proxy, which has the ports then, is stopped first.

    Args:
        apis: their units.
        address: where they listen; None: everywhere, as they are made.
        proxy: the proxy's unit.
    """
    found = read(ApiAddresses, units=list(apis))
    states = read(Units, units=list(apis), config=[]) if address else {"units": {}}
    for answer in (found, states):
        if isinstance(answer, Unreadable):
            yield fail(f"the addresses of the APIs can't be read: {answer.reason}")
            return
    if not address:
        if not found:
            host.noop("the APIs listen as they are made")
            return
        yield _systemctl("disable --now", [proxy])
        yield StringCommand("rm -f", *(quote(address_file(unit)) for unit in found))
        yield StringCommand("systemctl daemon-reload")
        return
    change = [unit for unit in apis if found.get(unit) != address]
    running = {unit: states["units"].get(full_name(unit), {}) for unit in apis}
    stop = [
        unit
        for unit, state in running.items()
        if state.get("start") and (unit in change or state["overrides"] > state["start"])
    ]
    if not change and not stop:
        host.noop(f"the APIs listen at {address} alone")
        return
    for unit in change:
        place = File(address_file(unit), directory=False, exists=False)
        yield write_command(place, DROP_IN.format(ADDRESS + address), "root", "root", "644")
    yield StringCommand("systemctl daemon-reload")
    if stop:
        yield _systemctl("stop", stop)


@operation()
def answering(url: str, status: Sequence[int] = (200, 300, 401), timeout: int = 60, ca: str = ""):
    """Wait until a URL answers, seen from the host. Waiting changes nothing, and is not counted as a change.

    Args:
        url: ``http://`` or ``https://``. Redirects are not followed.
        status: the answers to wait for. 300 is keystone's list of versions; 401 wants a token, and so
            comes from a service that is up.
        timeout: seconds to wait at most. While the plan is made it is tried once: what does not answer
            yet shows up as a change to come.
        ca: file of certificates to trust; the system's own without it.
    """
    wanted = [str(code) for code in status]
    seconds = timeout if run.is_executing else 0
    answer = read(HttpStatus, url=url, status=wanted, timeout=seconds, ca=ca, **interpreter())
    if isinstance(answer, Unreadable):
        yield fail(f"{url} can't be tried: {answer.reason}")
    elif answer in wanted:
        host.noop(f"{url} answers {answer}")
    else:
        yield fail(f"{url}: {answer} after {seconds} seconds; wanted {' or '.join(wanted)}")


@operation()
def reached(places: Sequence[str], timeout: int = 60):
    """Wait until connections are taken, seen from the host. As with :func:`answering` nothing changes.

    Args:
        places: ``ADDRESS:PORT``.
        timeout: seconds to wait at most, for all of them; while the plan is made each is tried once.
    """
    seconds = timeout if run.is_executing else 0
    found = read(Unreached, places=list(places), timeout=seconds, **interpreter())
    if isinstance(found, Unreadable):
        yield fail(f"{', '.join(places)} can't be tried: {found.reason}")
    elif not found:
        host.noop(f"{', '.join(places)}: connections are taken")
    else:
        reasons = "; ".join(f"{place}: {reason}" for place, reason in found.items())
        yield fail(f"{reasons}, after {seconds} seconds")


def refusal(unit: str, state: dict) -> str | None:
    """Why a unit can't be run, as :class:`facts.systemd.Units` finds it; None when it can."""
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
