"""MariaDB's cluster: its members started one at a time, restarted one at a time, and brought back."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import StringCommand, operation

from cloud import galera
from cloud.model import GALERA_PORT, Cloud
from facts.program import ask
from facts.reading import Unreadable, read
from facts.systemd import Units, full_name
from operations.failure import fail
from operations.service import refusal

FOLDER = "/var/lib/mysql"

# What the members answered in this run: filled by `collect` on all hosts at once, then by each in its turn.
answers: dict[str, dict[str, Any]] = {}

# Arguments: what to do, unit, seconds. What galera_new_cluster leaves in systemd's environment when it is
# killed would make the next start a second cluster, so it is taken out before and after.
ACT = """
verb=$1 unit=$2 seconds=$3
end=$(($(date +%s) + seconds))
systemctl unset-environment _WSREP_NEW_CLUSTER
trap 'systemctl unset-environment _WSREP_NEW_CLUSTER' EXIT
trap 'exit 1' HUP INT TERM
systemctl reset-failed "$unit" 2>/dev/null
case $verb in
    bootstrap) timeout "$seconds" galera_new_cluster ;;
    wait) ;;
    *) timeout "$seconds" systemctl "$verb" "$unit" ;;
esac
client=$(command -v mariadb || command -v mysql)
while :; do
    found=$("$client" --protocol=socket --user=root --connect-timeout=5 --batch --skip-column-names \\
        --execute="SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'" 2>/dev/null | cut -f 2)
    [ "$found" = Synced ] && exit 0
    running=$(systemctl is-active "$unit")
    [ "$running" != failed ] && [ "$(date +%s)" -lt "$end" ] || break
    sleep 1
done
echo "$unit is $running, its member ${found:-silent} instead of Synced (limit: $seconds s). Last words:" >&2
journalctl --unit="$unit" --lines=15 --no-pager --output=cat >&2
exit 1
""".strip()

# Arguments: unit, seconds. A server that waits for the others' votes does not hear SIGTERM, and its unit has
# SendSIGKILL=no: systemd would wait for 15 minutes, and then leave it. It serves nobody, and InnoDB survives
# a kill.
HALT = """
unit=$1 seconds=$2
timeout "$seconds" systemctl stop "$unit" && exit 0
systemctl kill --signal=SIGKILL "$unit"
timeout "$seconds" systemctl stop "$unit" && exit 0
state=$(systemctl is-active "$unit")
echo "$unit is $state $seconds seconds after SIGKILL: systemctl status $unit says why" >&2
exit 1
""".strip()

# Argument: grastate.dat.
MARK_SAFE = (
    'sed "s/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/" "$1" >"$1.new" && '
    'chown --reference="$1" "$1.new" && chmod --reference="$1" "$1.new" && '
    'sync "$1.new" && mv -fT "$1.new" "$1"'
)


def request(cloud: Cloud, recover: bool = False) -> dict[str, Any]:
    """What the program ``galera_member`` is asked on the current host.

    Args:
        cloud: the model.
        recover: whether to ask a server that does not run how far it got.
    """
    node = cloud.node(host)
    # It looks for the members that nobody could ask.
    others = [other for other in cloud.doing("database") if other.name not in (node.name, *answers)]
    return {
        "unit": node.unit("database/server"),
        "folder": FOLDER,
        "databases": cloud.databases,
        "peers": {other.name: [other.address, GALERA_PORT] for other in others},
        "recover": recover,
    }


def _ask(cloud: Cloud, recover: bool = False) -> dict[str, Any] | Unreadable:
    found = ask("galera_member", **request(cloud, recover))
    if not isinstance(found, Unreadable):
        answers[host.name] = found
    return found


@operation()
def collect(cloud: Cloud, recover: bool = False):
    """Ask every member what it is, for the operations after this one. Changes nothing.

    Args:
        cloud: the model.
        recover: whether also to ask, where no member serves, how far each of them got.
    """
    members = cloud.work["database"]
    if state.is_executing:
        wanted = recover and not _cannot(cloud) and not any(map(galera.serves, answers.values()))
        found = _ask(cloud, recover=wanted)
        if isinstance(found, Unreadable):
            answers.pop(host.name, None)
            yield fail(f"MariaDB on {host.name} can't be asked what it is: {found.reason}")
            return
    host.noop(f"asked: one of {len(members)} members")


@operation()
def running(cloud: Cloud, config: Sequence[str], timeout: int = 600):
    """Have this member in the cluster, synced, with the configuration on its disk; one host after the other.

    The first start ever makes the cluster, on the first host; every other joins. A member is restarted when
    its configuration is newer than its start (see ``service.running``), and only while a majority stays.

    Args:
        cloud: the model.
        config: the files that MariaDB reads at its start.
        timeout: seconds that the member has to be synced: a new one is sent all data.
    """
    node, members = cloud.node(host), cloud.work["database"]
    unit = node.unit("database/server")
    units = read(Units, units=[unit], config=list(config))
    if isinstance(units, Unreadable):
        yield fail(f"systemd's units can't be read: {units.reason}")
        return
    systemd = units["units"].get(full_name(unit), {"load": "not-found"})
    if problem := refusal(unit, systemd):
        yield fail(problem)
        return
    mine = _ask(cloud)
    if isinstance(mine, Unreadable):
        yield fail(f"MariaDB on {host.name} can't be asked what it is: {mine.reason}")
        return
    stale = bool(systemd["start"]) and max(units["config"], systemd["overrides"]) > systemd["start"]
    if galera.synced(mine) and not (stale or systemd["reload"] or systemd["enabled"] == "disabled"):
        host.noop(f"{unit}: synced, and newer than its configuration")
        return
    verb = ""
    if stale and galera.serves(mine):
        verb = "restart"
        if state.is_executing and not galera.may_stop(mine, members):
            yield fail(
                f"{unit} must be restarted for its new configuration, but it sees {galera.size(mine)} of "
                f"{len(members)} members, and without it no majority would be left: bring the others back, "
                "and run this again"
            )
            return
    elif galera.serves(mine):
        verb = "" if galera.synced(mine) else "wait"
    elif not state.is_executing:
        # Only the run itself knows all members.
        verb = "start"
    else:
        try:
            way = galera.entrance(node.name, members, answers)
        except galera.Refusal as reason:
            yield fail(str(reason))
            return
        # One on its way in is not disturbed; with an older configuration it never gets there.
        verb = way if way == "bootstrap" else "restart" if stale else "start"
    if systemd["reload"]:
        yield StringCommand("systemctl daemon-reload")
    if systemd["enabled"] == "disabled":
        yield StringCommand("systemctl enable", quote(unit))
    if verb:
        if state.is_executing and verb == "bootstrap":
            logger.info(f"{host.print_prefix}No member has ever been in a cluster: {node.name} makes it")
        yield _act(verb, unit, timeout)
    if state.is_executing:
        _ask(cloud)


@operation()
def halted(cloud: Cloud, timeout: int = 30):
    """Stop a member that waits for the others in vain: only where no member serves.

    Args:
        cloud: the model.
        timeout: seconds that it has to end; then it is killed.
    """
    unit = cloud.node(host).unit("database/server")
    mine = answers.get(host.name)
    idle = not mine or mine["active"] in ("inactive", "failed")
    if any(map(galera.serves, answers.values())) or idle or _cannot(cloud):
        host.noop(f"{unit}: nothing to stop")
        return
    yield StringCommand("sh", "-c", quote(HALT), "sh", quote(unit), str(timeout))


def _cannot(cloud: Cloud) -> bool:
    """Whether a member could not be asked: it may serve."""
    return not set(cloud.work["database"]) - set(cloud.lost) <= set(answers)


@operation()
def recovered(cloud: Cloud, timeout: int = 600):
    """Let the member that got furthest make the cluster anew, with its data. The others join after it.

    Args:
        cloud: the model.
        timeout: seconds that it has to be synced.
    """
    if not state.is_executing:
        host.noop("known when the run is executed")
        return
    try:
        found = galera.recovery(cloud.work["database"], answers, cloud.lost)
    except galera.Refusal as reason:
        yield fail(str(reason))
        return
    if found is None:
        host.noop("every member serves")
        return
    if found.member != host.name:
        host.noop(f"{found.member} begins")
        return
    told = ", ".join(f"{name} {'nothing' if n is None else n}" for name, n in found.positions.items())
    logger.info(f"{host.print_prefix}Last transactions: {told}. {found.member} begins, the others join it")
    yield StringCommand("sh", "-c", quote(MARK_SAFE), "sh", quote(f"{FOLDER}/grastate.dat"))
    yield _act("bootstrap", cloud.node(host).unit("database/server"), timeout)
    _ask(cloud)


def _act(verb: str, unit: str, timeout: int) -> StringCommand:
    return StringCommand("sh", "-c", quote(ACT), verb, verb, quote(unit), str(timeout))
