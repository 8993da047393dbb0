"""Steps to the declared networks, security groups, routers, ports and floating IPs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloud.resource_steps import Book, Step, interfaces, ref
from cloud.resources import FloatingIp, Network, Rule, SecurityGroup, Subnet


def security_groups(book: Book) -> Iterable[Step]:
    """The groups, then their missing rules."""
    groups = [
        (g, book.found("security_groups", g.name, project=g.project)) for g in book.resources.security_groups
    ]
    for group, found in groups:
        if not found:
            book.use(group.project, security_group=1)
            body = {
                "name": group.name,
                "description": group.description,
                "project_id": ref("project", group.project),
            }
            yield Step(
                f"create security group {group.name}",
                "network",
                "POST",
                ["/security-groups"],
                {"security_group": body},
                makes=f"security_groups:{group.name}",
                envelope="security_group",
            )
    # A rule may name a group that comes after its own.
    for group, found in groups:
        there = [rule_key(rule) for rule in found["rules"]] if found else []
        for rule in group.rules:
            body = rule_body(book, rule, group)
            if rule_key(body) in there:
                continue
            there.append(rule_key(body))
            book.use(group.project, security_group_rule=1)
            body["security_group_id"] = found["id"] if found else ref("security_groups", group.name)
            body["project_id"] = ref("project", group.project)
            where = f" from {rule.remote_group or rule.remote}" if rule.direction == "ingress" else ""
            ports = f" {rule.ports}" if rule.ports else ""
            yield Step(
                f"let {rule.protocol or 'everything'}{ports}{where} pass security group {group.name} "
                f"({rule.direction})",
                "network",
                "POST",
                ["/security-group-rules"],
                {"security_group_rule": body},
            )


def rule_body(book: Book, rule: Rule, group: SecurityGroup) -> dict[str, Any]:
    """neutron's form of a rule."""
    first, last = rule.port_range
    body = {
        "direction": rule.direction,
        "ethertype": "IPv4",
        "protocol": rule.protocol,
        "port_range_min": first,
        "port_range_max": last,
    }
    if rule.remote_group:
        what = f"security group {group.name}"
        body["remote_group_id"] = book.id_of("security_groups", rule.remote_group, group.project, what)
    else:
        body["remote_ip_prefix"] = str(rule.remote)
    return body


def networks(book: Book) -> Iterable[Step]:
    """Each with its subnets."""
    for network in book.resources.networks:
        what = f"network {network.name}"
        found = book.found("networks", network.name, project=network.project)
        shape = network.model_dump(include={"type", "physical_network", "segment"}, exclude_none=True)
        public = network.model_dump(include={"shared", "external"})
        for other in book.state["networks"]:
            if (
                network.type == "flat"
                and other["type"] == "flat"
                and other["physical_network"] == network.physical_network
                and other is not found
            ):
                book.problems.append(
                    f"{what}: the physical network {network.physical_network} is taken by the flat "
                    f"network {other['name']}"
                )
        if found:
            book.differs(what, found, shape, "it can't be changed: declare it under another name")
            changes = {key: value for key, value in public.items() if found[key] != value}
            if changes:
                names = {"external": "router:external"}
                yield Step(
                    f"set {', '.join(changes)} of {what}",
                    "network",
                    "PUT",
                    ["/networks/", found["id"]],
                    {"network": {names.get(key, key): value for key, value in changes.items()}},
                )
        else:
            book.use(network.project, network=1)
            names = {
                "type": "provider:network_type",
                "physical_network": "provider:physical_network",
                "segment": "provider:segmentation_id",
                "external": "router:external",
            }
            body = {names.get(key, key): value for key, value in {**shape, **public}.items()}
            body |= {"name": network.name, "description": network.description}
            body["project_id"] = ref("project", network.project)
            if network.mtu:
                body["mtu"] = network.mtu
            yield Step(
                f"create {what}",
                "network",
                "POST",
                ["/networks"],
                {"network": body},
                makes=f"networks:{network.name}",
                envelope="network",
            )
        for subnet in network.subnets:
            yield from one_subnet(book, network, found, subnet)


def one_subnet(
    book: Book, network: Network, network_found: dict[str, Any] | None, subnet: Subnet
) -> Iterable[Step]:
    """Made, or changed where neutron allows."""
    what = f"subnet {subnet.name}"
    identifier = network_found["id"] if network_found else None
    found = book.found("subnets", subnet.name, network=identifier) if identifier else None
    wanted: dict[str, Any] = {
        "gateway": str(subnet.gateway_address) if subnet.gateway_address else None,
        "dhcp": subnet.dhcp,
        "dns": [str(address) for address in subnet.dns],
    }
    if subnet.pools:
        wanted["pools"] = sorted([str(first), str(last)] for first, last in subnet.pools)
    if found:
        book.differs(what, found, {"cidr": str(subnet.cidr)}, "a subnet's addresses can't be changed")
        now = {**found, "pools": sorted(found["pools"])}
        wanted = {key: value for key, value in wanted.items() if now[key] != value}
        if wanted:
            yield Step(
                f"set {', '.join(wanted)} of {what}",
                "network",
                "PUT",
                ["/subnets/", found["id"]],
                {"subnet": subnet_body(wanted)},
            )
        return
    for other in book.state["subnets"] if identifier else ():
        if other["network"] == identifier and other["cidr"] == str(subnet.cidr):
            book.problems.append(
                f"{what}: {network.name} has {subnet.cidr} already, as {other['name'] or other['id']}"
            )
    book.use(network.project, subnet=1)
    yield Step(
        f"create {what} ({subnet.cidr})",
        "network",
        "POST",
        ["/subnets"],
        {
            "subnet": {
                "name": subnet.name,
                "network_id": identifier or ref("networks", network.name),
                "project_id": ref("project", network.project),
                "ip_version": 4,
                "cidr": str(subnet.cidr),
                **subnet_body(wanted),
            }
        },
        makes=f"subnets:{subnet.name}",
        envelope="subnet",
    )


def routers(book: Book) -> Iterable[Step]:
    """Each with its gateway, then its interfaces."""
    for router in book.resources.routers:
        what = f"router {router.name}"
        found = book.found("routers", router.name, project=router.project)
        gateway = None
        if router.external_network:
            network = external(book, router.external_network, router.project, what)
            gateway = {"network_id": network}
            if router.external_address:
                gateway["external_fixed_ips"] = [{"ip_address": str(router.external_address)}]
        if not found:
            book.use(router.project, router=1)
            body: dict[str, Any] = {"name": router.name, "project_id": ref("project", router.project)}
            if gateway:
                body["external_gateway_info"] = gateway
            yield Step(
                f"create {what}",
                "network",
                "POST",
                ["/routers"],
                {"router": body},
                makes=f"routers:{router.name}",
                envelope="router",
            )
        elif gateway and found["external"] != gateway["network_id"]:
            yield Step(
                f"set the gateway of {what} to {router.external_network}",
                "network",
                "PUT",
                ["/routers/", found["id"]],
                {"router": {"external_gateway_info": gateway}},
            )
        identifier = found["id"] if found else ref("routers", router.name)
        joined = interfaces(book.state, found["id"]) if found else []
        for name in router.subnets:
            subnet = book.id_of("subnets", name, router.project, what)
            if subnet not in joined:
                yield Step(
                    f"join {what} to subnet {name}",
                    "network",
                    "PUT",
                    ["/routers/", identifier, "/add_router_interface"],
                    {"subnet_id": subnet},
                )


def ports(book: Book) -> Iterable[Step]:
    """Made, with their addresses."""
    for port in book.resources.ports:
        what = f"port {port.name}"
        network = book.id_of("networks", port.network, port.project, what)
        groups = [security_group(book, name, port.project, what) for name in port.security_groups]
        address_in(book, what, port.address, port.network)
        if book.found("ports", port.name, project=port.project):
            continue
        book.use(port.project, port=1)
        body = {"name": port.name, "network_id": network, "project_id": ref("project", port.project)}
        if port.address:
            body["fixed_ips"] = [{"ip_address": str(port.address)}]
        if groups:
            body["security_groups"] = groups
        yield Step(
            f"create {what}",
            "network",
            "POST",
            ["/ports"],
            {"port": body},
            makes=f"ports:{port.name}",
            envelope="port",
        )


def floating_ips(book: Book) -> Iterable[Step]:
    """Taken from their networks, then led to their instances."""
    for floating in book.resources.floating_ips:
        what = f"floating IP {floating.name}"
        network = external(book, floating.network, floating.project, what)
        address_in(book, what, floating.address, floating.network)
        found = book.found("floating_ips", floating.name, project=floating.project)
        if found and floating.address:
            book.differs(what, found, {"address": str(floating.address)}, "remove it by hand")
        if not found:
            book.use(floating.project, floatingip=1)
            body = {
                "floating_network_id": network,
                "project_id": ref("project", floating.project),
                "description": floating.name,
            }
            if floating.address:
                body["floating_ip_address"] = str(floating.address)
            yield Step(
                f"create {what} from network {floating.network}",
                "network",
                "POST",
                ["/floatingips"],
                {"floatingip": body},
                makes=f"floating_ips:{floating.name}",
                envelope="floatingip",
            )
        if floating.instance:
            yield from lead(book, floating, found)


def lead(book: Book, floating: FloatingIp, found: dict[str, Any] | None) -> Iterable[Step]:
    """Lead a floating IP to an instance's first port."""
    instance = book.declared("instances", floating.instance)
    server = book.found("instances", instance.name, project=instance.project)
    devices = {port["id"]: port["device"] for port in book.state["ports"]}
    if found and found["port"]:
        if server and devices.get(found["port"]) == server["id"]:
            return
        book.problems.append(f"floating IP {floating.name} leads to another port: {found['port']}")
        return
    what = f"lead floating IP {floating.name} to instance {instance.name}"
    if instance.networks:
        # In the instance's name: it has been asked for there already.
        wanted_by = f"instance {instance.name}"
        network = book.id_of("networks", instance.networks[0], instance.project, wanted_by)
        port = ref("port of", instance.name)
        owner = server["id"] if server else ref("instances", instance.name)
        yield Step(
            f"find the port of instance {instance.name} in network {instance.networks[0]}",
            "network",
            "GET",
            ["/ports?network_id=", network, "&device_id=", owner],
            makes=port["ref"],
            envelope="ports",
        )
    else:
        port = book.id_of("ports", instance.ports[0], instance.project, f"instance {instance.name}")
    identifier = found["id"] if found else ref("floating_ips", floating.name)
    yield Step(what, "network", "PUT", ["/floatingips/", identifier], {"floatingip": {"port_id": port}})


def external(book: Book, name: str, project: str, wanted_by: str) -> Any:
    """The ID of a network that must be external."""
    declared = book.declared("networks", name)
    identifier = book.id_of("networks", name, project, wanted_by)
    there = next((n for n in book.state["networks"] if n["id"] == identifier), {"external": True})
    if not (declared.external if declared else there["external"]):
        book.problems.append(f"{wanted_by}: network {name} is not external")
    return identifier


def address_in(book: Book, what: str, address: Any, network: str) -> None:
    """A problem when no declared subnet of the network holds the address."""
    declared = book.declared("networks", network)
    if address and declared and not any(address in subnet.cidr for subnet in declared.subnets):
        book.problems.append(f"{what}: address {address} is in no subnet of network {network}")


def security_group(book: Book, name: str, project: str, wanted_by: str) -> Any:
    """The group's ID, or its name where there is none yet."""
    # Every project has a "default", which neutron makes when it is first needed.
    if name == "default":
        found = book.found("security_groups", name, project=project)
        return found["id"] if found else name
    return book.id_of("security_groups", name, project, wanted_by)


def rule_key(rule: dict[str, Any]) -> tuple:
    """What makes two rules the same; neutron takes 0.0.0.0/0 and nothing for the same network."""
    remote = rule.get("remote_ip_prefix")
    keys = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max")
    group = rule.get("remote_group_id")
    if isinstance(group, dict):
        group = group["ref"]
    return (*(rule.get(key) for key in keys), None if remote == "0.0.0.0/0" else remote, group)


def subnet_body(values: dict[str, Any]) -> dict[str, Any]:
    names = {"gateway": "gateway_ip", "dhcp": "enable_dhcp", "dns": "dns_nameservers"}
    body = {names[key]: value for key, value in values.items() if key != "pools"}
    if "pools" in values:
        body["allocation_pools"] = [{"start": start, "end": end} for start, end in values["pools"]]
    return body
