"""From what is there to nothing of what is declared, in the order that works. Pure.

What others made stays, and so does everything when a thing of theirs hangs on one of ours: that is a problem
for a person, told before the first step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cloud.resource_steps import State, Step, instance_wait, interfaces, ref, volume_wait
from cloud.resources import QUOTAS, Image, Resources

Item = dict[str, Any]


def plan(state: State, resources: Resources) -> list[Step]:
    """What must be done: instances, floating IPs, volumes, images, flavors, then networking from the leaves
    to the root, then what projects and users have, then these.

    Args:
        state: what is there.
        resources: what must go.

    Raises:
        ValueError: a line for each thing that stands in the way; nothing must be done then.
    """
    there = There(state, resources)
    if problems := list(_obstacles(there)):
        raise ValueError("\n".join(dict.fromkeys(problems)))
    return [
        *_instances(there),
        *there.delete("floating_ips", "floating IP", "network", "/floatingips/"),
        *_volumes(there),
        *there.delete("images", "image", "image", "/images/"),
        *there.delete("flavors", "flavor", "compute", "/flavors/"),
        *there.delete("volume_types", "volume type", "block_storage", "/types/"),
        *there.delete("ports", "port", "network", "/ports/"),
        *_routers(there),
        # With their subnets.
        *there.delete("networks", "network", "network", "/networks/"),
        *there.delete("security_groups", "security group", "network", "/security-groups/"),
        *_keypairs(there),
        *_quotas(there),
        *_identities(there),
    ]


class There:
    """The things that are declared and there."""

    def __init__(self, state: State, resources: Resources):
        self.state, self.resources = state, resources
        self.ids = {
            kind: {item["id"] for item in self.items(kind)}
            for kind in ("instances", "floating_ips", "volumes", "images", "ports", "routers", "networks")
        }
        self.ids["security_groups"] = {item["id"] for item in self.items("security_groups")}

    def items(self, kind: str) -> list[Item]:
        """In the reverse order of their declaration."""
        found = []
        for declared in reversed(getattr(self.resources, kind)):
            owner = declared.owner if isinstance(declared, Image) else getattr(declared, "project", None)
            matching = [
                item
                for item in self.state[kind]
                if item["name"] == declared.name and (owner is None or item["project"] == owner)
            ]
            found += matching
        return found

    def delete(self, kind: str, word: str, service: str, path: str) -> Iterable[Step]:
        for item in self.items(kind):
            yield Step(f"remove {word} {item['name']}", service, "DELETE", [path, item["id"]])


def _obstacles(there: There) -> Iterable[str]:
    state, ids = there.state, there.ids
    for kind, word in (
        ("images", "image"),
        ("security_groups", "security group"),
        ("networks", "network"),
        ("routers", "router"),
        ("volumes", "volume"),
        ("instances", "instance"),
        ("floating_ips", "floating IP"),
    ):
        items = there.items(kind)
        for name in {item["name"] for item in items}:
            count = sum(item["name"] == name for item in items)
            if count > 1:
                yield f"there are {count} things called {word} {name}: which of them is meant?"
    for image in there.items("images"):
        if image["attributes"]["protected"]:
            yield (
                f"image {image['name']} is protected; allow its removal with: "
                f"openstack image set --unprotected {image['id']}"
            )
    for volume in there.items("volumes"):
        if others := set(volume["instances"]) - ids["instances"]:
            yield f"volume {volume['name']} is attached to what is not declared: {', '.join(sorted(others))}"
    networks = {item["id"]: item["name"] for item in there.items("networks")}
    ours = {subnet.name for subnet in there.resources.subnets}
    for subnet in state["subnets"]:
        if subnet["network"] in networks and subnet["name"] not in ours:
            network = networks[subnet["network"]]
            yield f"network {network} has a subnet that is not declared: {_called(subnet)}"
    groups = {item["id"]: item["name"] for item in there.items("security_groups")}
    holders = ids["instances"] | ids["routers"] | ids["floating_ips"]
    for port in state["ports"]:
        # neutron removes its own DHCP and metadata ports with the network, and "floatingip" ones with theirs.
        agents = port["owner"].startswith(
            ("network:dhcp", "network:distributed", "network:ha_router", "network:router_ha")
        )
        if agents or port["id"] in ids["ports"] or port["device"] in holders:
            continue
        whose = f"port {_called(port)} ({port['owner'] or 'no device'} {port['device']})".replace(" )", ")")
        if port["network"] in networks:
            yield f"network {networks[port['network']]} has a port that is not declared: {whose}"
        for group in set(port["security_groups"]) & set(groups):
            yield f"security group {groups[group]} is used by a port that is not declared: {whose}"
    routers = {item["id"]: item["name"] for item in there.items("routers")}
    known = {s["id"]: s["name"] for s in state["subnets"]}
    for identifier, name in routers.items():
        declared = next(router.subnets for router in there.resources.routers if router.name == name)
        for subnet in interfaces(state, identifier):
            if known.get(subnet) not in declared:
                where = known.get(subnet, subnet)
                yield f"router {name} has an interface that is not declared, in subnet {where}"
    yield from _in_projects(there)


def _in_projects(there: There) -> Iterable[str]:
    """What would be left in projects that go."""
    going = {project.name for project in there.resources.projects}
    for kind in ("instances", "volumes", "images", "networks", "routers", "floating_ips"):
        for item in there.state[kind]:
            if item["project"] in going and item["id"] not in there.ids[kind]:
                word = kind.removesuffix("s").replace("_", " ")
                yield f"project {item['project']} has an {word} that is not declared: {_called(item)}"


def _called(item: Item) -> str:
    return item["name"] or item["id"]


def _instances(there: There) -> Iterable[Step]:
    for item in there.items("instances"):
        yield Step(
            f"remove instance {item['name']}",
            "compute",
            "DELETE",
            ["/servers/", item["id"]],
            waits=[instance_wait(item["id"], "gone", "DELETED", fail=())],
        )


def _volumes(there: There) -> Iterable[Step]:
    for item in there.items("volumes"):
        # Its detachment goes on after the instance is gone.
        still = [volume_wait(item["id"], "available", "error", "gone", fail=("error_deleting",))]
        path = ["/volumes/", item["id"]]
        yield Step(f"see volume {item['name']} detached", "block_storage", "GET", path, waits=still)
        gone = [volume_wait(item["id"], "gone", fail=("error_deleting",))]
        yield Step(f"remove volume {item['name']}", "block_storage", "DELETE", path, waits=gone)


def _routers(there: There) -> Iterable[Step]:
    names = {subnet["id"]: subnet["name"] for subnet in there.state["subnets"]}
    routers = there.items("routers")
    for router in routers:
        for subnet in interfaces(there.state, router["id"]):
            yield Step(
                f"part router {router['name']} from subnet {names[subnet]}",
                "network",
                "PUT",
                ["/routers/", router["id"], "/remove_router_interface"],
                {"subnet_id": subnet},
            )
    for router in routers:
        yield Step(f"remove router {router['name']}", "network", "DELETE", ["/routers/", router["id"]])


def _keypairs(there: There) -> Iterable[Step]:
    for pair in reversed(there.resources.keypairs):
        for item in there.state["keypairs"]:
            if item["name"] == pair.name and item["user"] in pair.users:
                yield Step(
                    f"remove keypair {pair.name} of user {item['user']}",
                    "compute",
                    "DELETE",
                    ["/os-keypairs/", pair.name, "?user_id=", ref("user", item["user"])],
                )


def _quotas(there: There) -> Iterable[Step]:
    """Back to what every project has; those that have that already are left alone."""
    for quota in there.resources.quotas:
        now = there.state["quotas"].get(quota.project, {})
        for service, names in QUOTAS.items():
            if any(
                now.get(name, [None])[0] == limit for name, limit in quota.limits.items() if name in names
            ):
                root = "/quotas/" if service == "network" else "/os-quota-sets/"
                path = [root, ref("project", quota.project)]
                yield Step(f"reset the {service} quota of project {quota.project}", service, "DELETE", path)


def _identities(there: There) -> Iterable[Step]:
    state, resources = there.state, there.resources

    def those(items: Iterable[str], known: dict[str, str], word: str) -> Iterable[Step]:
        for name in items:
            if name in known:
                yield Step(f"remove {word} {name}", "identity", "DELETE", [f"/{word}s/", known[name]])

    yield from those((user.name for user in resources.users), state["users"], "user")
    going = {project.name for project in resources.projects}
    for group in state["security_groups"]:
        # neutron's own of each project; without the project nobody could ever remove it.
        if group["project"] in going and group["name"] == "default":
            path = ["/security-groups/", group["id"]]
            yield Step(f"remove the default security group of {group['project']}", "network", "DELETE", path)
    yield from those((project.name for project in resources.projects), state["projects"], "project")
    yield from those(resources.roles, state["roles"], "role")
