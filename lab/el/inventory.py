"""Hosts that look like CentOS Stream 9, for Caracal. `python -m lab up el` makes them."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

# The only interface is the provider network's, too. The kernels have no SELinux: the deploy is to say so.
_interfaces = {"interface": "host0", "provider_interface": "host0", "selinux": "enforcing"}

controller = [_ssh.reach(_LABS["el"], "controller", **_interfaces)]
compute = [_ssh.reach(_LABS["el"], "compute", **_interfaces)]
storage = [_ssh.reach(_LABS["el"], "storage", interface="vec0", volume_devices=["/dev/ubdb"])]
