"""The cloud behind two load balancers: zed, as the second lab has it, at an address that they share."""

from lab.image import declared as _declared
from lab.image import parts as _parts
from lab.paths import SSH as _SSH

release = "zed"
l2_agent = "linuxbridge"
self_service_networks = False

management_network = "10.63.0.0/24"
virtual_address = "10.63.0.10"
cloud_name = "lb"
workers = 1
database_max_connections = 1024

# The image that `python -m lab up lb` has built; it speaks the smoke test's language.
smoke_image = {"tiny": True, **{part: str(path) for part, path in _parts().items()}}

# The demo: one instance, directly in the flat network.
resources = {
    "flavors": [{"name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1}],
    "images": _declared(),
    "keypairs": [{"name": "lab", "public_key_file": _SSH / "id_ed25519.pub", "users": ["admin", "demo"]}],
    "security_groups": [
        {
            "name": "hello",
            "project": "demo",
            "rules": [{"protocol": "icmp"}, {"protocol": "tcp", "ports": 22}],
        },
    ],
    "networks": [
        {
            "name": "provider",
            "type": "flat",
            "physical_network": "provider",
            "shared": True,
            "subnets": [
                {
                    "name": "provider",
                    "cidr": "10.63.0.0/24",
                    "gateway": "10.63.0.1",
                    "pools": [("10.63.0.100", "10.63.0.199")],
                }
            ],
        },
    ],
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
