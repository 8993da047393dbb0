"""From an answer file's networks to ours: one flat provider network, and VXLAN between the hosts."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address

from cloud.answers_choices import Machine, Translation, listed
from cloud.releases import BY_AGE, Release

ML2 = "/etc/neutron/plugins/ml2/ml2_conf.ini"
OVS_AGENT = "/etc/neutron/plugins/ml2/openvswitch_agent.ini"
# The types of networks that we know.
OURS = ("flat", "vlan", "vxlan")
# Drivers that come with the agent, or are only for tests.
DRIVERS = ("openvswitch", "linuxbridge", "ovn", "l2population", "logger", "test")
VXLAN_PORT = "4789"


def add_networks(result: Translation) -> None:
    """Fill in everything about networks.

    Source: which interface packstack puts into which bridge of which host, in its plugin neutron.
    """
    _agent(result)
    bridge, interface = _provider(result)
    _provider_interfaces(result, bridge, interface)
    _tunnels(result)
    _types(result)
    _numbers(result)
    _extras(result)


def _kind(result: Translation) -> str:
    """By which options the bridges are described."""
    return "OVN" if result.answers.value("CONFIG_NEUTRON_L2_AGENT") == "ovn" else "OVS"


def _agent(result: Translation) -> None:
    answers, release = result.answers, result.choices.release
    agent = answers.value("CONFIG_NEUTRON_L2_AGENT")
    if agent == "linuxbridge" and release in BY_AGE and Release(release).has("linuxbridge"):
        result.settings["l2_agent"] = "linuxbridge"
    elif agent in ("ovn", "linuxbridge"):
        result.differs.append(
            "networks are Open vSwitch's, with neutron's own agents, and made anew: "
            f"{answers.found('CONFIG_NEUTRON_L2_AGENT')}"
        )
    elif agent != "openvswitch":
        result.problems.append(
            f"{answers.found('CONFIG_NEUTRON_L2_AGENT')}: write openvswitch, ovn or linuxbridge"
        )


def _provider(result: Translation) -> tuple[str, str]:
    """Choose the physical network that becomes ours; returns its bridge and the bridge's interface."""
    answers, kind = result.answers, _kind(result)
    if answers.value("CONFIG_NEUTRON_L2_AGENT") == "linuxbridge":
        option = "CONFIG_NEUTRON_LB_INTERFACE_MAPPINGS"
        network = _choose(result, option, "")
        return "", answers.pairs(option).get(network, "")
    option = f"CONFIG_NEUTRON_{kind}_BRIDGE_MAPPINGS"
    external = answers.value("CONFIG_NEUTRON_L3_EXT_BRIDGE")
    network = _choose(result, option, "" if external == "provider" else external)
    # Without a mapping packstack's L3 agent is told of the bridge alone.
    bridge = answers.pairs(option).get(network) or ("" if external == "provider" else external)
    if bridge:
        result.settings["provider_bridge"] = bridge
    named = answers.pairs(f"CONFIG_NEUTRON_{kind}_BRIDGE_IFACES").get(bridge, "")
    # A network, and not an interface's name.
    return bridge, "" if answers.on("CONFIG_USE_SUBNETS") else named


def _choose(result: Translation, option: str, bridge: str) -> str:
    """The physical network that becomes provider_network; "" where there is none."""
    answers, wanted = result.answers, result.choices.provider_network
    mappings = answers.pairs(option)
    outside = answers.value(f"CONFIG_NEUTRON_{_kind(result)}_EXTERNAL_PHYSNET")
    behind = [network for network, its in mappings.items() if its == bridge]
    known = [network for network in (wanted, *behind, outside) if network in mappings]
    if wanted and wanted not in mappings:
        result.problems.append(f"--provider-network {wanted}: not in {answers.found(option)}")
    if len(mappings) > 1 and not known:
        result.problems.append(
            f"{answers.found(option)}: there is one provider network here: choose it by --provider-network "
            f"{' or '.join(mappings)}"
        )
    network = next(iter([*known, *mappings]), "")
    if network:
        result.settings["provider_network"] = network
    for other, its in mappings.items():
        if other != network:
            result.lacks.append(
                f"the physical network {other} ({its}): {answers.found(option)}; there is one, {network}"
            )
    return network


def _provider_interfaces(result: Translation, bridge: str, interface: str) -> None:
    """The interface in the provider bridge: of network hosts, and of compute hosts that have the bridge."""
    answers = result.answers
    on_compute = bridge in answers.list(f"CONFIG_NEUTRON_{_kind(result)}_BRIDGES_COMPUTE") if bridge else True
    needing = [machine.key for machine in result.doing("network")]
    having = {machine.key for machine in result.doing("compute")} if on_compute else set()
    for machine in result.doing("network", "compute"):
        given = result.choices.provider_interfaces
        own = given.get(machine.key) or given.get(machine.name)
        if machine.key in needing or machine.key in having:
            own = machine.chosen(given) or interface
        if own:
            machine.data["provider_interface"] = own
        elif machine.key in needing:
            result.problems.append(
                f"{machine.name}: the answer file names no interface for the provider bridge {bridge}: "
                f"--provider-interface {machine.name}=INTERFACE"
            )


def _tunnels(result: Translation) -> None:
    """Where tunnels end, if not at the management address."""
    answers, choices = result.answers, result.choices
    option = f"CONFIG_NEUTRON_{_kind(result)}_TUNNEL_IF"
    interface = answers.value(option)
    network = choices.tunnel_network
    if interface and answers.on("CONFIG_USE_SUBNETS") and not network:
        try:
            network = IPv4Network(interface, strict=False)
        except ValueError:
            result.problems.append(f"{answers.found(option)}: is no network: --tunnel-network NETWORK")
            return
    silent = []
    for machine in result.doing("network", "compute"):
        address = machine.chosen(choices.tunnel_addresses)
        if not address and network:
            address = _in_network(result, machine, network)
        elif not address and interface and interface != machine.data.get("interface"):
            silent.append(machine.name)
        if address and address != machine.address:
            machine.data["tunnel_address"] = address
    if silent:
        result.problems.append(
            f"{answers.found(option)}: the answer file does not say which addresses {listed(silent)} have "
            "there: --tunnel-network NETWORK where they end as in the management network, or "
            "--tunnel-address HOST=ADDRESS"
        )


def _in_network(result: Translation, machine: Machine, network: IPv4Network) -> str:
    """The address with the number in the tunnels' network that the host has in the management network."""
    if not machine.address or "management_network" not in result.settings:
        return ""
    address = IPv4Address(machine.address)
    if address in network:
        return machine.address
    home = IPv4Network(result.settings["management_network"])
    number = int(address) - int(home.network_address)
    found = IPv4Address(int(network.network_address) + number)
    if found not in network or found in (network.network_address, network.broadcast_address):
        result.problems.append(
            f"{machine.name}: {address} is number {number} in {home}, and {network} has none: "
            f"--tunnel-address {machine.name}=ADDRESS"
        )
        return ""
    result.chosen.append(
        f"tunnel_address {found} of {machine.name}, which ends in {network} as {address} in {home}; another: "
        f"--tunnel-address {machine.name}=ADDRESS"
    )
    return str(found)


def _types(result: Translation) -> None:
    answers = result.answers
    tenant, known = "CONFIG_NEUTRON_ML2_TENANT_NETWORK_TYPES", "CONFIG_NEUTRON_ML2_TYPE_DRIVERS"
    wanted = answers.list(tenant)
    ours = [name for name in wanted if name in ("vlan", "vxlan")]
    others = [name for name in wanted if name not in OURS]
    if not wanted:
        result.differs.append(f"projects may make networks, of VXLAN: {answers.found(tenant)}")
    if others:
        result.differs.append(
            f"projects' networks of type {listed(others)} become VXLAN: {answers.found(tenant)}"
        )
        ours = [*ours, *([] if "vxlan" in ours else ["vxlan"])]
    if ours not in ([], ["vxlan"]):
        result.override(ML2, "ml2", tenant_network_types=",".join(ours))
        silent = [m.name for m in result.doing("compute") if "provider_interface" not in m.data]
        if silent:
            result.problems.append(
                f"{answers.found(tenant)}: VLANs need the provider bridge on compute hosts, which "
                f"{listed(silent)} have not: --provider-interface {silent[0]}=INTERFACE"
            )
    gone = [name for name in answers.list(known) if name not in (*OURS, *others)]
    if gone:
        result.lacks.append(f"provider networks of type {listed(gone)}: {answers.found(known)}")
    network = result.settings.get("provider_network")
    ranges = answers.list("CONFIG_NEUTRON_ML2_VLAN_RANGES")
    mine = [part for part in ranges if part.partition(":")[0] == network]
    if mine:
        result.override(ML2, "ml2_type_vlan", network_vlan_ranges=",".join(mine))
    if mine != ranges:
        rest = listed(part for part in ranges if part not in mine)
        result.lacks.append(f"VLANs {rest}: they are not in the provider network")


def _numbers(result: Translation) -> None:
    answers = result.answers
    if ranges := answers.list("CONFIG_NEUTRON_ML2_VNI_RANGES"):
        result.settings["vxlan_vni_ranges"] = ",".join(ranges)
    if group := answers.value("CONFIG_NEUTRON_ML2_VXLAN_GROUP"):
        try:
            multicast = ip_address(group).is_multicast
        except ValueError:
            multicast = False
        if multicast:
            result.override(ML2, "ml2_type_vxlan", vxlan_group=group)
        else:
            result.problems.append(
                f"{answers.found('CONFIG_NEUTRON_ML2_VXLAN_GROUP')}: is no multicast address: write one, or "
                "leave it empty"
            )
    port = answers.value("CONFIG_NEUTRON_OVS_VXLAN_UDP_PORT")
    if port not in ("", VXLAN_PORT):
        result.override(OVS_AGENT, "agent", vxlan_udp_port=port)


def _extras(result: Translation) -> None:
    answers, release = result.answers, result.choices.release
    option = "CONFIG_NEUTRON_ML2_MECHANISM_DRIVERS"
    if more := [name for name in answers.list(option) if name not in DRIVERS]:
        result.lacks.append(f"the driver {listed(more)}: {answers.found(option)}")
    if answers.on("CONFIG_LBAAS_INSTALL"):
        if release in BY_AGE and Release(release).has("lbaas"):
            result.settings["lbaas"] = True
        else:
            result.lacks.append(
                f"load balancers for projects: {answers.found('CONFIG_LBAAS_INSTALL')}; neutron has them "
                "until stein"
            )
