"""Caracal from RDO, with Linux bridges and the provider network only."""

platform = "el"
release = "caracal"
cloud_name = "caracal"
management_network = "10.0.0.0/24"
# The guides' passwords are known to everybody. Never for a cloud that somebody else can reach.
allow_weak_secrets = True

l2_agent = "linuxbridge"
self_service_networks = False
provider_network = "provider"

resources = {
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
                    "cidr": "203.0.113.0/24",
                    "gateway": "203.0.113.1",
                    "pools": [("203.0.113.101", "203.0.113.250")],
                    "dns": ["8.8.4.4"],
                }
            ],
        }
    ],
}
