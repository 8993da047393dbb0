"""Caracal on three hosts with CentOS Stream 9, at the installation guides' own addresses."""

_interfaces = {"interface": "eth0", "provider_interface": "eth1"}

controller = [("controller", {"ssh_hostname": "10.0.0.11", **_interfaces})]
compute = [("compute1", {"ssh_hostname": "10.0.0.31", **_interfaces})]
storage = [("block1", {"ssh_hostname": "10.0.0.41", "volume_devices": ["/dev/sdb"]})]
