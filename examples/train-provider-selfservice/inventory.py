"""Train on CentOS 7: a controller and a compute host. The original install notes tell no addresses."""

_interfaces = {"interface": "ens33", "provider_interface": "ens37"}

controller = [("controller", {"ssh_hostname": "192.168.83.11", **_interfaces})]
compute = [("compute", {"ssh_hostname": "192.168.83.12", **_interfaces})]
