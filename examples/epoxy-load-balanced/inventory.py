"""The hosts of the original install notes' Ocata, with today's release."""

controller = [("controller", {"ssh_hostname": "172.20.102.145", "provider_interface": "eth1"})]
compute = [("compute", {"ssh_hostname": "172.20.6.10", "provider_interface": "eth1"})]
loadbalancer = [
    ("lb1", {"ssh_hostname": "172.20.6.60", "interface": "eth0"}),
    ("lb2", {"ssh_hostname": "172.20.6.61", "interface": "eth0"}),
]
database = [("database", {"ssh_hostname": "172.20.6.40"})]
