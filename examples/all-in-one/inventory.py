"""Everything on one host."""

_cloud = (
    "cloud",
    {
        "ssh_hostname": "192.168.56.11",
        "interface": "eth0",
        "provider_interface": "eth1",
        "volume_devices": ["/dev/sdb"],
    },
)

controller = [_cloud]
compute = [_cloud]
storage = [_cloud]
