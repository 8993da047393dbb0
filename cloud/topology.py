"""Which host does which work, from the inventory's groups."""

from __future__ import annotations

from collections.abc import Mapping

REQUIRED = ("controller", "compute")
# Groups whose work falls to the controllers where nobody is in them.
OPTIONAL = ("database", "network")
# Groups whose work nobody does where nobody is in them: without a storage host there are no volumes.
EXTRA = ("storage", "loadbalancer")
ROLES = REQUIRED + OPTIONAL + EXTRA


def work_of(groups: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Role -> hosts that do its work, in the inventory's order.

    Args:
        groups: role -> host names, as the inventory has them.

    Returns:
        The same with every role in it; ``database`` and ``network`` fall to the controllers.
    """
    work = {role: list(groups.get(role, [])) for role in ROLES}
    for role in OPTIONAL:
        work[role] = work[role] or list(work["controller"])
    return work


def roles_of(host: str, work: Mapping[str, list[str]]) -> set[str]:
    """The roles whose work this host does."""
    return {role for role, hosts in work.items() if host in hosts}
