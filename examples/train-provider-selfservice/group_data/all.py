"""The notes' example: a provider network, a self-service network behind a router, an image, an instance.

Where the notes show pictures only, the names and sizes are the installation guide's.
"""

platform = "el"
release = "train"
cloud_name = "train"
management_network = "192.168.83.0/24"
# The notes' passwords are known to everybody. Never for a cloud that somebody else can reach.
allow_weak_secrets = True

public_address = "controller"
l2_agent = "linuxbridge"
provider_network = "provider"

resources = {
    "flavors": [{"name": "m1.small", "vcpus": 1, "ram": 2048, "disk": 20}],
    "images": [
        {
            "name": "centos7",
            "file": "CentOS-7-x86_64-GenericCloud-20140929_01.qcow2",
            "disk_format": "qcow2",
            "container_format": "bare",
            "visibility": "public",
        }
    ],
    "networks": [
        {
            "name": "external",
            "type": "flat",
            "physical_network": "provider",
            "shared": True,
            "external": True,
            "subnets": [
                {
                    "name": "external",
                    "cidr": "192.168.83.0/24",
                    "gateway": "192.168.83.2",
                    "pools": [("192.168.83.100", "192.168.83.200")],
                }
            ],
        },
        {
            "name": "internal",
            "project": "demo",
            "subnets": [{"name": "internal", "cidr": "192.168.200.0/24", "gateway": "192.168.200.1"}],
        },
    ],
    "routers": [
        {"name": "router", "project": "demo", "external_network": "external", "subnets": ["internal"]},
    ],
    "instances": [
        {
            "name": "centos7",
            "project": "demo",
            "flavor": "m1.small",
            "image": "centos7",
            "networks": ["internal"],
        }
    ],
    "floating_ips": [{"name": "centos7", "project": "demo", "network": "external", "instance": "centos7"}],
}
