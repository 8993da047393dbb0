"""Hosts that look like CentOS 7, for Liberty. `python -m lab up el7` makes them."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

# The only interface is the provider network's, too.
_interfaces = {"interface": "host0", "provider_interface": "host0"}

controller = [_ssh.reach(_LABS["el7"], "controller", **_interfaces)]
compute = [_ssh.reach(_LABS["el7"], "compute", **_interfaces)]
storage = [_ssh.reach(_LABS["el7"], "storage", interface="vec0", volume_devices=["/dev/ubdb"])]
