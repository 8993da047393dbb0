"""What the members of MariaDB's cluster told, and what follows from it. Pure.

Sources: galeracluster.com/library (grastate.dat, quorum components, recovering the primary component),
mariadb.com/kb (galera_new_cluster, galera_recovery).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "00000000-0000-0000-0000-000000000000"
RECOVER = "tasks/recover_database.py"

# A member's answer, see operations/remote/galera_member.py.
Answer = Mapping[str, Any]


class Refusal(ValueError):
    """What stands in the way, and what to do about it."""


def serves(member: Answer) -> bool:
    """Whether a member answers queries as a part of a cluster with a majority."""
    status = member.get("status") or {}
    return status.get("wsrep_cluster_status") == "Primary" and status.get("wsrep_ready") == "ON"


def synced(member: Answer) -> bool:
    """Whether it also has everything that the cluster has."""
    return serves(member) and member["status"].get("wsrep_local_state_comment") == "Synced"


def size(member: Answer) -> int:
    """How many members it sees."""
    return int((member.get("status") or {}).get("wsrep_cluster_size") or 0)


def clustered(member: Answer) -> bool:
    """Whether it was ever a member of a cluster: only then has it such a file."""
    return member["saved"] is not None


def was_member(member: Answer) -> bool:
    """Whether what it holds is a cluster's, and whole."""
    return bool(member["saved"] and member["saved"]["uuid"] != NOTHING)


def may_stop(member: Answer, members: Collection[str]) -> bool:
    """Whether a majority of all members stays when this one stops."""
    return not serves(member) or size(member) - 1 > len(members) // 2


def entrance(name: str, members: Sequence[str], answers: Mapping[str, Answer]) -> str:
    """How a member that does not serve comes into the cluster: ``join`` or ``bootstrap``.

    A new cluster is only ever made where nothing tells of an older one: there would be two then, each with
    data of its own.

    Args:
        name: the member's host.
        members: the hosts of all members, in the inventory's order.
        answers: host -> what is known of it; ``peers`` of ``name`` tells of those that nobody asked.

    Raises:
        Refusal: neither is safe.
    """
    mine = answers[name]
    if mine["databases"] and not clustered(mine):
        raise Refusal(
            f"{name} holds databases ({', '.join(mine['databases'])}) and was never a member of a cluster: "
            "joining one would replace them, and a new one of three is not made from them. Take the other "
            "hosts out of the group 'database', or save these databases and empty MariaDB's folder"
        )
    if any(serves(answers[other]) for other in members if other in answers) or any(mine["peers"].values()):
        return "join"
    unknown = [other for other in members if other not in answers]
    if unknown:
        raise Refusal(
            f"no member that was asked serves, and nobody could ask {', '.join(unknown)}: bring them back, "
            "and run this without --limit"
        )
    if there := [other for other in members if was_member(answers[other])]:
        raise Refusal(
            f"no member serves, but {', '.join(there)} belonged to a cluster: a new one would forget its "
            f"data. Run {RECOVER}"
        )
    if alone := [o for o in members if answers[o]["databases"] and not clustered(answers[o])]:
        raise Refusal(f"{', '.join(alone)} hold databases and were never members of a cluster")
    if name != members[0]:
        raise Refusal(f"the first member, {members[0]}, has not made the cluster: its own message says why")
    return "bootstrap"


@dataclass(frozen=True)
class Recovery:
    """Which member begins after all have stopped.

    Attributes:
        member: its host.
        positions: host -> the number of its last transaction; None where it has nothing of use.
    """

    member: str
    positions: dict[str, int | None]


def recovery(
    members: Sequence[str], answers: Mapping[str, Answer], lost: Collection[str] = ()
) -> Recovery | None:
    """Who begins, or None where every member serves.

    Args:
        members: the hosts of all members, in the inventory's order.
        answers: host -> its answer, ``position`` in it where no member serves.
        lost: hosts that never come back.

    Raises:
        Refusal: a member serves, could not be asked, or they belong to different clusters.
    """
    wanted = [name for name in members if name not in lost]
    if unknown := [name for name in lost if name not in members]:
        raise Refusal(f"lost: {', '.join(unknown)} is no database host; they are: {', '.join(members)}")
    if unknown := [name for name in wanted if name not in answers]:
        raise Refusal(
            f"nobody could ask {', '.join(unknown)}, which may have got further than the others: bring it "
            "back, and run this without --limit; or, if it never comes back: --data lost=HOST"
        )
    serving = [name for name in wanted if serves(answers[name])]
    if len(serving) == len(wanted):
        return None
    if serving:
        raise Refusal(
            f"{', '.join(serving)} serve: the others only have to join, which tasks/database.py does"
        )
    found = {name: _position(answers[name]) for name in wanted}
    if len({position[0] for position in found.values() if position}) > 1:
        listed = ", ".join(f"{name} {position[0]}" for name, position in found.items() if position)
        raise Refusal(f"the members belong to different clusters ({listed}): which one counts, only you know")
    positions = {name: position[1] if position else None for name, position in found.items()}
    best = max((number for number in positions.values() if number is not None), default=None)
    if best is None:
        raise Refusal("no member holds the data of a cluster: tasks/database.py makes the first one")
    furthest = [name for name in wanted if positions[name] == best]
    safe = [name for name in furthest if (answers[name]["saved"] or {}).get("safe")]
    return Recovery((safe or furthest)[0], positions)


def _position(member: Answer) -> tuple[str, int] | None:
    """(cluster, number of the last transaction), None where a transfer had not ended."""
    if not was_member(member):
        return None
    uuid, _, number = (member.get("position") or "").rpartition(":")
    if not uuid or uuid == NOTHING or int(number) < 0:
        return None
    return uuid, int(number)
