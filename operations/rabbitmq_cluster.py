"""RabbitMQ's cluster: members started, joined and restarted one by one, and one that split off brought back.

Sources: rabbitmq.com/docs/clustering, /docs/cluster-formation, /docs/partitions, /docs/quorum-queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import StringCommand, operation

from cloud import rabbitmq
from cloud.model import Cloud
from facts.program import ask
from facts.reading import Unreadable, read
from facts.systemd import Units, full_name
from operations.failure import fail
from operations.service import refusal

RECOVER = "tasks/recover_rabbitmq.py"

# What the members answered in this run: filled by `collect` on all hosts at once, then by each in its turn.
answers: dict[str, dict[str, Any]] = {}

# Arguments: what to do, unit, seconds. A restart waits until every quorum queue keeps its majority without
# this member. rabbitmqctl says "started" only when the plugins are.
ACT = """
verb=$1 unit=$2 seconds=$3
export LC_ALL=C.UTF-8
if [ "$verb" = restart ] && rabbitmq-diagnostics --quiet check_running >/dev/null 2>&1 </dev/null; then
    rabbitmq-upgrade --quiet --timeout "$seconds" await_online_quorum_plus_one </dev/null || exit 1
fi
systemctl reset-failed "$unit" 2>/dev/null
timeout "$seconds" systemctl "$verb" "$unit" &&
    timeout "$seconds" rabbitmqctl --quiet await_startup </dev/null && exit 0
echo "$unit is $(systemctl is-active "$unit") and not started (limit: $seconds seconds). Its last words:" >&2
journalctl --unit="$unit" --lines=15 --no-pager --output=cat >&2
exit 1
""".strip()

# Arguments: this member, another one. The cluster may still count this one as its own, which a blank one of
# its name would contradict.
FORGET = 'rabbitmqctl --quiet --node "$2" forget_cluster_node "$1" </dev/null 2>/dev/null || :'
JOIN = """
export LC_ALL=C.UTF-8
rabbitmqctl --quiet stop_app </dev/null && rabbitmqctl --quiet force_reset </dev/null || exit 1
%s
rabbitmqctl --quiet join_cluster "$2" </dev/null && rabbitmqctl --quiet start_app </dev/null &&
    rabbitmq-queues --quiet grow "$1" all </dev/null
""".strip() % FORGET  # fmt: skip


def request(cloud: Cloud, queues: bool = False) -> dict[str, Any]:
    """What the program ``rabbitmq_member`` is asked on the current host.

    Args:
        cloud: the model.
        queues: whether to ask for the queues and their leaders, too.
    """
    node = cloud.node(host)
    unit = node.unit("messaging/server")
    return {"unit": unit, "node": rabbitmq.node_name(node.name), "queues": queues}


def _ask(cloud: Cloud) -> dict[str, Any] | Unreadable:
    found = ask("rabbitmq_member", **request(cloud))
    if not isinstance(found, Unreadable):
        answers[host.name] = found
    return found


@operation()
def collect(cloud: Cloud):
    """Ask every member what it is, for the operations after this one. Changes nothing.

    Args:
        cloud: the model.
    """
    if state.is_executing and isinstance(found := _ask(cloud), Unreadable):
        # Before its restart a server may have another cookie than the one on its disk: it is not counted.
        answers.pop(host.name, None)
        logger.debug(f"{host.print_prefix}RabbitMQ can't be asked what it is: {found.reason}")
    host.noop("asked")
    return
    yield


@operation()
def returned(cloud: Cloud, timeout: int = 300):
    """Start the members that were in the cluster before, all at once: each may wait for the last one there.

    Args:
        cloud: the model.
        timeout: seconds that they have.
    """
    mine = answers.get(host.name)
    unit = cloud.node(host).unit("messaging/server")
    if not mine or mine["members"] or mine["known"] is None:
        host.noop(f"{unit}: runs, or never ran")
        return
    yield _act(_verb(mine), unit, timeout)
    _ask(cloud)


def _verb(member: dict) -> str:
    """How to start a member: one whose unit is active pauses, or did not go on after that, as 3.10 may."""
    return "restart" if member["active"] == "active" else "start"


@operation()
def running(cloud: Cloud, config: Sequence[str], timeout: int = 300):
    """Have this member in the cluster, with the configuration on its disk; one host after the other.

    The first host's server makes the cluster, by its first start; every other one joins by its own. A member
    is restarted when its configuration is newer than its start (see ``service.running``), and only while a
    majority runs without it.

    Args:
        cloud: the model.
        config: the files that RabbitMQ reads at its start.
        timeout: seconds that it has to start.
    """
    node, members = cloud.node(host), cloud.work["database"]
    unit, this = node.unit("messaging/server"), rabbitmq.node_name(node.name)
    units = read(Units, units=[unit], config=list(config))
    if isinstance(units, Unreadable):
        yield fail(f"systemd's units can't be read: {units.reason}")
        return
    systemd = units["units"].get(full_name(unit), {"load": "not-found"})
    if problem := refusal(unit, systemd):
        yield fail(problem)
        return
    stale = bool(systemd["start"]) and max(units["config"], systemd["overrides"]) > systemd["start"]
    mine = _ask(cloud)
    if isinstance(mine, Unreadable):
        if not stale:
            yield fail(f"RabbitMQ on {host.name} can't be asked what it is: {mine.reason}")
            return
        mine = {"members": None, "known": None, "running": [], "partitions": [], "queues": None}
    others = [name for name in rabbitmq.core(members, answers) if name != node.name]
    apart = state.is_executing and bool(mine["members"]) and bool(others) and mine["members"] == [this]
    if (
        mine["members"]
        and not (stale or apart or systemd["reload"] or systemd["enabled"] == "disabled")
        and (
            not state.is_executing
            or rabbitmq.node_name(others[0] if others else node.name) in mine["running"]
        )
    ):
        host.noop(f"{unit}: in the cluster, and newer than its configuration")
        return
    if state.is_executing and (problem := _problem(members, mine, others, stale, apart)):
        yield fail(problem)
        return
    if systemd["reload"]:
        yield StringCommand("systemctl daemon-reload")
    if systemd["enabled"] == "disabled":
        yield StringCommand("systemctl enable", quote(unit))
    if not mine["members"]:
        if others and mine["known"] is None:
            # A host that was made anew: the others remember it, and would refuse a blank one of its name.
            yield _script(f"export LC_ALL=C.UTF-8\n{FORGET}", this, others)
        yield _act("restart" if stale else "start", unit, timeout)
    elif stale:
        yield _act("restart", unit, timeout)
    if apart:
        yield _script(JOIN, this, others)
    if state.is_executing:
        found = _ask(cloud)
        if (
            others
            and not isinstance(found, Unreadable)
            and rabbitmq.node_name(others[0]) not in found["running"]
        ):
            yield fail(f"{this} runs, and does not see {', '.join(others)}: {RECOVER} brings it back")


def _problem(members: Sequence[str], mine: dict, others: list[str], stale: bool, apart: bool) -> str | None:
    """Why a member is left as it is; None where nothing stands in the way."""
    name = host.name
    if apart and mine["queues"]:
        return (
            f"RabbitMQ on {name} is a cluster of its own with {mine['queues']} queues, beside that of "
            f"{', '.join(others)}: {RECOVER} gives its queues up and lets it join"
        )
    if mine["members"]:
        if stale and not apart and len(mine["members"]) > 1 and len(mine["running"]) - 1 <= len(members) // 2:
            return (
                f"RabbitMQ must be restarted on {name} for its new configuration, but it sees "
                f"{len(mine['running'])} of {len(members)} members, and without it no majority would run: "
                "bring the others back, and run this again"
            )
        if others and not apart and rabbitmq.node_name(others[0]) not in mine["running"]:
            return f"RabbitMQ on {name} runs, and does not see {', '.join(others)}: run {RECOVER}"
        return None
    if mine["known"] is None and not others and not stale:
        unknown = [other for other in members if other != name and other not in answers]
        older = [other for other in members if other in answers and answers[other]["known"] is not None]
        if unknown or older:
            return (
                f"RabbitMQ on {name} never ran, and none of {', '.join(unknown + older)} runs or could be "
                "asked: it would begin a cluster of its own. Bring them back, and run this without --limit"
            )
        if name != members[0]:
            return f"the first member, {members[0]}, has not made the cluster: its own message says why"
    return None


@operation()
def recovered(cloud: Cloud, timeout: int = 300):
    """Restart a member that pauses; reset one that split off, and let it join. One host after the other.

    A reset gives up its own queues: those that matter are kept by a majority, which it is not a part of.

    Args:
        cloud: the model.
        timeout: seconds that a start may take.
    """
    if not state.is_executing:
        host.noop("known when the run is executed")
        return
    members, name = cloud.work["database"], host.name
    this = rabbitmq.node_name(name)
    mine = _ask(cloud)
    if isinstance(mine, Unreadable):
        yield fail(f"RabbitMQ on {name} can't be asked what it is: {mine.reason}")
        return
    answers[name] = mine
    core = rabbitmq.core(members, answers)
    # A majority that sees one another tells of a partition, too, while the others are not back: it is in
    # order. Where each is seen by somebody, and two do not see each other, one of these is reset.
    apart = bool(mine["partitions"]) and len(core) == len(members)
    # What it sees itself counts: those outside the run nobody asked.
    if name in core and not apart and 2 * len(mine["running"]) > len(members):
        host.noop(f"{this} is one of {len(mine['running'])} that see one another")
        return
    others = [other for other in core if other != name]
    if 2 * len(others) <= len(members):
        yield fail(
            f"{this} is apart, and {', '.join(others) or 'nobody'} is no majority of {len(members)} members "
            "that it could join: run tasks/messaging.py for all of them, without --limit, and look at the "
            "network between them"
        )
        return
    if not mine["members"]:
        logger.info(f"{host.print_prefix}{this} does not run in the cluster: it is started anew")
        yield _act(_verb(mine), cloud.node(host).unit("messaging/server"), timeout)
        again = _ask(cloud)
        if not isinstance(again, Unreadable) and rabbitmq.node_name(others[0]) in again["running"]:
            return
    logger.info(f"{host.print_prefix}{this} is reset, and joins {', '.join(others)}")
    yield _script(JOIN, this, others)
    _ask(cloud)


def _script(script: str, this: str, others: Sequence[str]) -> StringCommand:
    return StringCommand("sh", "-c", quote(script), "sh", quote(this), quote(rabbitmq.node_name(others[0])))


def _act(verb: str, unit: str, timeout: int) -> StringCommand:
    return StringCommand("sh", "-c", quote(ACT), verb, verb, quote(unit), str(timeout))
