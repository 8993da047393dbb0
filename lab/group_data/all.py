"""The lab's cloud: small hosts on one machine, whose kernel has no module for Open vSwitch."""

from lab.image import declared as _declared
from lab.image import parts as _parts
from lab.paths import SSH as _SSH

management_network = "10.56.0.0/24"
cloud_name = "lab"
workers = 1
database_max_connections = 1024
openvswitch_datapath = "netdev"

# cinder-rootwrap takes seconds in a User Mode Linux host: an attach makes about seven calls.
rpc_response_timeout = 180

# The image that `python -m lab up` has built; it speaks the smoke test's language.
# Without the USB tablet that nova gives: SeaBIOS starts its controller, whose 1000 timers a second take a
# quarter of the processor of a User Mode Linux host for each idle instance.
_light = {"hw_input_bus": "virtio"}
smoke_image = {"tiny": True, "properties": _light, **{part: str(path) for part, path in _parts().items()}}

# The demo: a project that can be looked at in Horizon, with one instance that has a volume and a floating IP.
resources = {
    "flavors": [
        {"name": "m1.nano", "vcpus": 1, "ram": 192, "disk": 1},
        {"name": "m1.tiny", "vcpus": 1, "ram": 512, "disk": 1},
    ],
    "images": _declared(_light),
    "keypairs": [
        {"name": "lab", "public_key_file": _SSH / "id_ed25519.pub", "users": ["admin", "demo"]},
    ],
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
            "external": True,
            "subnets": [
                {
                    "name": "provider",
                    "cidr": "10.56.1.0/24",
                    "gateway": "10.56.1.1",
                    "pools": [("10.56.1.100", "10.56.1.199")],
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
    "instances": [
        {
            "name": "hello-instance",
            "project": "demo",
            "flavor": "m1.nano",
            "image": "tiny",
            "networks": ["private"],
            "keypair": "lab",
            "security_groups": ["hello"],
            "volumes": ["hello-volume"],
            # The one whose kernel has an iSCSI initiator.
            "availability_zone": "nova:compute2",
        }
    ],
    "floating_ips": [
        {"name": "hello-instance", "project": "demo", "network": "provider", "instance": "hello-instance"},
    ],
}
