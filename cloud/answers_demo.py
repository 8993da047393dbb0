"""From an answer file's demo to ``resources``: flavors, an image, two networks."""

from __future__ import annotations

import json
import re
from typing import Any

from cloud.answers_choices import Translation
from cloud.answers_file import holds_login

# Name, processors, MiB, GiB: in packstack's manifest nova/api.pp.
SIZES = (
    ("m1.tiny", 1, 512, 1),
    ("m1.small", 1, 2048, 20),
    ("m1.medium", 2, 4096, 40),
    ("m1.large", 4, 8192, 80),
    ("m1.xlarge", 8, 16384, 160),
)
# Of the demo, in packstack's manifest provision.pp.
PRIVATE = "10.0.0.0/24"


def add_demo(result: Translation) -> None:
    """Flavors, and the demo's networks and image."""
    answers = result.answers
    resources: dict[str, Any] = {}
    if answers.on("CONFIG_NOVA_MANAGE_FLAVORS"):
        resources["flavors"] = [
            {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk} for name, vcpus, ram, disk in SIZES
        ]
    if answers.on("CONFIG_PROVISION_DEMO"):
        resources |= _image(result) | _networks(result)
    if resources:
        result.settings["resources"] = resources


def _image(result: Translation) -> dict[str, Any]:
    answers, checksum = result.answers, result.choices.image_sha256
    name = answers.value("CONFIG_PROVISION_IMAGE_NAME")
    place = answers.value("CONFIG_PROVISION_IMAGE_URL")
    reason = ""
    if not checksum:
        reason = "for the answer file has no checksum of it: --image-sha256 gives that"
    if not re.match("https?://", place) or holds_login(place):
        reason = "for CONFIG_PROVISION_IMAGE_URL is no http(s) address, or holds a login"
    if reason:
        result.differs.append(f"the image {name} is not declared, {reason}")
        return {}
    image: dict[str, Any] = {"name": name, "url": place, "checksum": checksum}
    image["disk_format"] = answers.value("CONFIG_PROVISION_IMAGE_FORMAT") or "qcow2"
    image["visibility"] = "public"
    properties = dict(re.findall(r"(\S+)='([^']*)'", answers.value("CONFIG_PROVISION_IMAGE_PROPERTIES")))
    return {"images": [image | ({"properties": properties} if properties else {})]}


def _networks(result: Translation) -> dict[str, Any]:
    answers = result.answers
    public: dict[str, Any] = {
        "name": "public_subnet",
        "cidr": answers.value("CONFIG_PROVISION_DEMO_FLOATRANGE"),
        "dhcp": False,
    }
    if pools := _pools(result):
        public["pools"] = pools
    result.differs.append(
        f"the demo's public network {public['cidr']} must be there at the provider interface, with its "
        "gateway: packstack gives the bridge an address in it, and NAT"
    )
    network = {"name": "public", "type": "flat", "external": True}
    network["physical_network"] = result.settings.get("provider_network", "provider")
    private = {"name": "private", "project": "demo"}
    return {
        "networks": [
            {**network, "subnets": [public]},
            {**private, "subnets": [{"name": "private_subnet", "cidr": PRIVATE}]},
        ],
        "routers": [
            {
                "name": "router1",
                "project": "demo",
                "external_network": "public",
                "subnets": ["private_subnet"],
            }
        ],
    }


def _pools(result: Translation) -> list[tuple[str, str]]:
    """The pools of floating IPs: ``["start=10.0.0.2,end=10.0.0.9"]`` in the answer file."""
    option = "CONFIG_PROVISION_DEMO_ALLOCATION_POOLS"
    try:
        texts = json.loads(result.answers.value(option) or "[]")
        return [re.fullmatch(r"start=(\S+?), ?end=(\S+)", text).groups() for text in texts]
    except (ValueError, TypeError, AttributeError):
        result.problems.append(
            f'{result.answers.found(option)}: is no list like ["start=10.0.0.2,end=10.0.0.9"]'
        )
        return []
