"""Which host does which work, from the inventory's groups.

``python -m cloud.topology INVENTORY`` prints a picture of it, in the language of Mermaid (mermaid.js.org).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

REQUIRED = ("controller", "compute")
# Groups whose work falls to the controllers where nobody is in them.
OPTIONAL = ("database", "network")
# Groups whose work nobody does where nobody is in them: without a storage host there are no volumes.
EXTRA = ("storage", "loadbalancer")
ROLES = REQUIRED + OPTIONAL + EXTRA

# What a role's hosts do, in a picture's words.
WORK = {
    "loadbalancer": "haproxy, keepalived",
    "controller": "APIs, Horizon",
    "database": "MariaDB, RabbitMQ, memcached",
    "network": "networks",
    "compute": "instances",
    "storage": "volumes",
}


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


def picture(
    work: Mapping[str, list[str]],
    addresses: Mapping[str, str],
    virtual_address: str = "",
    self_service: bool = True,
    provider: Sequence[str] = (),
) -> str:
    """Hosts with their work, and who asks whom, as a flowchart of Mermaid.

    Args:
        work: as :func:`work_of` gives it.
        addresses: host -> address, of every host, in the inventory's order.
        virtual_address: the load balancers'; empty: there are none.
        self_service: whether tunnels carry networks between hosts.
        provider: the hosts with an interface in the provider network.
    """
    # Names of hosts may be words of the language, or hold what it does not take.
    names = {host: f"host{number}" for number, host in enumerate(addresses, 1)}
    lines = ["flowchart TB", '    users(["users"])']
    if virtual_address:
        lines.append(f'    address{{{{"{virtual_address}<br>held by one load balancer"}}}}')
    for host, address in addresses.items():
        tasks = [text for role, text in WORK.items() if host in work[role]]
        lines.append(f'    {names[host]}["{"<br>".join([f"<b>{host}</b>", address, *tasks])}"]')
    if provider:
        lines.append('    provider[("provider network")]')

    def arrow(sources: Sequence[str], target: str, label: str, line: str = "-->") -> None:
        known = [names.get(source, source) for source in dict.fromkeys(sources) if source != target]
        if known:
            lines.append(f"    {' & '.join(known)} {line}|{label}| {names.get(target, target)}")

    # Who does nothing but serve asks nobody.
    askers = [host for host in addresses if roles_of(host, work) - {"loadbalancer", "database"}]
    front = ["address"] if virtual_address else work["controller"]
    for target in front:
        arrow(["users"], target, "APIs, Horizon, consoles")
    if virtual_address:
        arrow(askers, "address", "all they ask")
        for host in work["loadbalancer"]:
            arrow(["address"], host, "one of", "-.-")
    for host in addresses:
        served = ["APIs"] if host in work["controller"] else []
        served += [WORK["database"]] if host in work["database"] else []
        if served:
            arrow(work["loadbalancer"] if virtual_address else askers, host, ", ".join(served))
    for host in work["storage"]:
        arrow(work["compute"], host, "iSCSI")
    if self_service:
        for host in work["network"]:
            arrow(work["compute"], host, "VXLAN", "<-->")
    arrow(provider, "provider", "instances' traffic", "---")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    # Here, for they import this module; and reading an inventory takes pyinfra.
    from cloud import inputs, render

    parser = argparse.ArgumentParser(prog="python -m cloud.topology", description=__doc__.split("\n\n")[0])
    parser.add_argument("inventory")
    options = parser.parse_args(arguments)
    if not Path(options.inventory).is_file():
        print(f"no such inventory file: {options.inventory}", file=sys.stderr)
        return 1
    hosts = list(render.inventory_at(options.inventory))
    data = {host.name: inputs.with_address(host, host.data.dict()) for host in hosts}
    silent = [name for name, values in data.items() if "address" not in values]
    if silent:
        print(f"{', '.join(silent)}: no address, and no ssh_hostname that is one", file=sys.stderr)
        return 1
    groups = {role: [host.name for host in hosts if role in host.groups] for role in ROLES}
    common = next(iter(data.values()), {})
    print(
        picture(
            work_of(groups),
            {name: str(values["address"]) for name, values in data.items()},
            virtual_address=str(common.get("virtual_address") or ""),
            self_service=common.get("self_service_networks", True),
            provider=[name for name, values in data.items() if values.get("provider_interface")],
        ),
        end="",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
