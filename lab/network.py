"""Bridges on the outer machine, and the ends of the hosts' cables."""

from __future__ import annotations

import json

from lab import paths
from lab.hosts import Host, Lab
from lab.shell import LabError, run, wait


def owner() -> str:
    """What the lab writes into the alias of its bridges, so that it removes nobody else's."""
    return f"openstack-lab {paths.STATE}"


def links() -> dict[str, dict]:
    """All links of the outer machine by name, as ``ip -json`` describes them."""
    return {link["ifname"]: link for link in json.loads(run("ip", "-json", "address", "show"))}


def up(lab: Lab) -> None:
    """Make the bridges that are missing, and give them their addresses."""
    present = links()
    for network in lab.networks:
        bridge = lab.bridge(network.name)
        if bridge not in present:
            snooping = int(network.snooping)
            # With its alias from the start: there is no moment at which it is nobody's.
            run("ip", "link", "add", bridge, "alias", owner(), "type", "bridge", "mcast_snooping", snooping)
        elif present[bridge].get("ifalias") != owner():
            raise LabError(
                f"{bridge} exists and is not this lab's ({present[bridge].get('ifalias', 'no alias')})"
            )
        if network.address:
            run("ip", "address", "replace", network.address, "dev", bridge)
        run("ip", "link", "set", bridge, "up")


def plug(lab: Lab, host: Host, limit: float = 10) -> None:
    """Put the outer ends of a host's cables into their bridges, once they exist."""
    for network in host.nics.values():
        link = lab.link(host, network)
        wait(f"{host.name}'s link {link} appears", limit, lambda link=link: link in links())
        run("ip", "link", "set", link, "master", lab.bridge(network), "up")


def plugged(lab: Lab, host: Host) -> bool:
    """Whether every cable of ``host`` is in its bridge."""
    present = links()
    return all(
        present.get(lab.link(host, network), {}).get("master") == lab.bridge(network)
        for network in host.nics.values()
    )


def unplug(lab: Lab, host: Host) -> None:
    """Remove what a host left of its cables: a veth goes with its container, a tap stays."""
    for network in host.nics.values():
        if (link := lab.link(host, network)) in links():
            run("ip", "link", "delete", link)


def down(lab: Lab) -> None:
    """Remove the bridges."""
    for name, link in links().items():
        if link.get("ifalias") == owner() and name in map(
            lab.bridge, (network.name for network in lab.networks)
        ):
            run("ip", "link", "delete", name)
