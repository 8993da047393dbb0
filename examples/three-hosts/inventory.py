"""One host each that controls, runs instances, and stores volumes."""

controller = [("controller", {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1"})]
compute = [("compute", {"ssh_hostname": "192.168.56.12", "provider_interface": "eth1"})]
storage = [("storage", {"ssh_hostname": "192.168.56.13", "volume_devices": ["/dev/sdb"]})]
