"""The hosts of the packstack answer file answer.ini."""

_openstack = (
    "openstack",
    {
        "ssh_hostname": "192.168.1.1",
        "interface": "eth0",
        "provider_interface": "eth0",
        "tunnel_address": "192.168.2.1",
        "volume_devices": ["/dev/vdb"],
    },
)

controller = [_openstack]
compute = [("nova", {"ssh_hostname": "192.168.1.2", "interface": "eth0", "tunnel_address": "192.168.2.2"})]
storage = [_openstack]
