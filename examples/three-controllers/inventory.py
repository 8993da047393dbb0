"""Three controllers behind two load balancers: any one of these five may die."""

loadbalancer = [
    ("lb1", {"ssh_hostname": "192.168.56.21", "interface": "eth0"}),
    ("lb2", {"ssh_hostname": "192.168.56.22", "interface": "eth0"}),
]
controller = [
    (f"controller{n}", {"ssh_hostname": f"192.168.56.1{n}", "provider_interface": "eth1"}) for n in (1, 2, 3)
]
compute = [("compute", {"ssh_hostname": "192.168.56.31", "provider_interface": "eth1"})]
storage = [("storage", {"ssh_hostname": "192.168.56.41", "volume_devices": ["/dev/sdb"]})]
