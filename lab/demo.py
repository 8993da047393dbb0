"""The labs' demo: a project that can be looked at in Horizon, with one instance behind a floating IP."""

from __future__ import annotations

from typing import Any

from lab.image import declared
from lab.paths import SSH

# Without the USB tablet that nova gives: SeaBIOS starts its controller, whose 1000 timers a second take a
# quarter of the processor of a User Mode Linux host for each idle instance.
LIGHT = {"hw_input_bus": "virtio"}


KEYPAIRS = [{"name": "lab", "public_key_file": SSH / "id_ed25519.pub", "users": ["admin", "demo"]}]
SECURITY_GROUPS = [
    {
        "name": "hello",
        "project": "demo",
        "rules": [{"protocol": "icmp"}, {"protocol": "tcp", "ports": 22}],
    },
]


def flat(block: str) -> dict[str, Any]:
    """The setting ``resources`` of a lab without routers: the instance is directly in the hosts' own network.

    Args:
        block: the first two numbers of the lab's addresses; the network is ``BLOCK.0.0/24``.
    """
    subnet = {
        "name": "provider",
        "cidr": f"{block}.0.0/24",
        "gateway": f"{block}.0.1",
        "pools": [(f"{block}.0.100", f"{block}.0.199")],
    }
    provider = {"name": "provider", "type": "flat", "physical_network": "provider", "shared": True}
    return {
        "flavors": [{"name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1}],
        "images": declared(),
        "keypairs": KEYPAIRS,
        "security_groups": SECURITY_GROUPS,
        "networks": [{**provider, "subnets": [subnet]}],
        "instances": [
            {
                "name": "hello-instance",
                "project": "demo",
                "flavor": "m1.nano",
                "image": "tiny",
                "networks": ["provider"],
                "keypair": "lab",
                "security_groups": ["hello"],
            }
        ],
    }


def resources(block: str, volume_on: str = "") -> dict[str, Any]:
    """The setting ``resources``.

    Args:
        block: the first two numbers of the lab's addresses; the provider network is ``BLOCK.1.0/24``.
        volume_on: the compute host whose kernel has an iSCSI initiator: the instance is there, and has a
            volume. "": it is anywhere, and has none.
    """
    instance: dict[str, Any] = {
        "name": "hello-instance",
        "project": "demo",
        "flavor": "m1.nano",
        "image": "tiny",
        "networks": ["private"],
        "keypair": "lab",
        "security_groups": ["hello"],
    }
    if volume_on:
        instance |= {"volumes": ["hello-volume"], "availability_zone": f"nova:{volume_on}"}
    return {
        "flavors": [
            {"name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1},
            {"name": "m1.tiny", "vcpus": 1, "ram": 512, "disk": 1},
        ],
        "images": declared(LIGHT),
        "keypairs": KEYPAIRS,
        "security_groups": SECURITY_GROUPS,
        "networks": [
            {
                "name": "provider",
                "type": "flat",
                "physical_network": "provider",
                "shared": True,
                "external": True,
                "subnets": [
                    {
                        "name": "provider",
                        "cidr": f"{block}.1.0/24",
                        "gateway": f"{block}.1.1",
                        "pools": [(f"{block}.1.100", f"{block}.1.199")],
                    }
                ],
            },
            {
                "name": "private",
                "project": "demo",
                "subnets": [{"name": "private", "cidr": "192.168.100.0/24", "gateway": "192.168.100.1"}],
            },
        ],
        "routers": [
            {"name": "router", "project": "demo", "external_network": "provider", "subnets": ["private"]},
        ],
        "volumes": [{"name": "hello-volume", "project": "demo", "size": 1}],
        "instances": [instance],
        "floating_ips": [
            {
                "name": "hello-instance",
                "project": "demo",
                "network": "provider",
                "instance": "hello-instance",
            },
        ],
    }
