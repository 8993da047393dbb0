"""Bridges on the outer machine, and the outer ends of the hosts' cables."""

from __future__ import annotations

import hashlib
import json

from lab import paths
from lab.hosts import Host, Lab
from lab.shell import run, wait


def mac(bridge: str) -> str:
    """The address of a bridge of this lab, by which the lab knows its own and removes nobody else's.

    It is set when the bridge is made. A bridge without one takes the lowest among its ports', so that
    each host that comes or goes would change it under the neighbours that remember it.
    """
    digest = hashlib.sha256(f"{paths.STATE} {bridge}".encode()).hexdigest()
    return ":".join(("02", *(digest[at : at + 2] for at in range(0, 10, 2))))


def links() -> dict[str, dict]:
    """All links of the outer machine by name, as ``ip -json`` describes them."""
    return {link["ifname"]: link for link in json.loads(run("ip", "-json", "link", "show"))}


def foreign(lab: Lab) -> list[str]:
    """Links that have our bridges' names and are not ours."""
    present = links()
    bridges = [lab.bridge(network.name) for network in lab.networks]
    return [name for name in bridges if name in present and present[name]["address"] != mac(name)]


def up(lab: Lab) -> None:
    """Make the bridges that are missing, and give them their addresses."""
    present = links()
    for network in lab.networks:
        bridge = lab.bridge(network.name)
        if bridge not in present:
            kind = ("type", "bridge", "mcast_snooping", int(network.snooping))
            run("ip", "link", "add", bridge, "address", mac(bridge), *kind)
        if network.address:
            run("ip", "address", "replace", network.address, "dev", bridge)
        run("ip", "link", "set", bridge, "up")


def plug(lab: Lab, host: Host, limit: float = 10) -> None:
    """Put the outer ends of a host's cables into their bridges; each must appear within ``limit`` seconds."""
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
    """Remove what a stopped host left of its cables: a veth goes with its container, a tap stays."""
    for network in host.nics.values():
        if (link := lab.link(host, network)) in links():
            run("ip", "link", "delete", link)


def down(lab: Lab) -> None:
    """Remove the bridges, and the cables still in them."""
    bridges = [lab.bridge(network.name) for network in lab.networks]
    for name, link in links().items():
        if link.get("master") in bridges:
            run("ip", "link", "delete", name)
    for name in set(bridges) & set(links()):
        run("ip", "link", "delete", name)
