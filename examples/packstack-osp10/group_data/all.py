"""The choices of the packstack answer file answer.ini."""

release = "epoxy"
ssh_user = "root"
# Chosen: the answer file has no prefix length.
management_network = "192.168.1.0/24"
# Short or known passwords of the answer file. Never for a cloud that somebody else can reach.
allow_weak_secrets = True
ntp_servers = ["192.168.1.254"]
provider_network = "physnet1"
provider_bridge = "br-ex"
vxlan_vni_ranges = "10:100"

config_overrides = {
    "/etc/nova/nova.conf": {"DEFAULT": {"cpu_allocation_ratio": "16.0", "ram_allocation_ratio": "1.5"}},
    "/etc/neutron/plugins/ml2/ml2_conf.ini": {"ml2_type_vxlan": {"vxlan_group": "239.1.1.5"}},
}

resources = {
    "flavors": [
        {"name": "m1.tiny", "vcpus": 1, "ram": 512, "disk": 1},
        {"name": "m1.small", "vcpus": 1, "ram": 2048, "disk": 20},
        {"name": "m1.medium", "vcpus": 2, "ram": 4096, "disk": 40},
        {"name": "m1.large", "vcpus": 4, "ram": 8192, "disk": 80},
        {"name": "m1.xlarge", "vcpus": 8, "ram": 16384, "disk": 160},
    ],
}
