"""Hosts that look like CentOS Stream 9, with Zed's real programs. `python -m lab up el --real` makes them."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

# The only interface is the provider network's, too.
_interfaces = {"interface": "host0", "provider_interface": "host0"}

controller = [_ssh.reach(_LABS["el-real"], "controller", **_interfaces)]
compute = [_ssh.reach(_LABS["el-real"], "compute", **_interfaces)]
storage = [_ssh.reach(_LABS["el-real"], "storage", interface="vec0", volume_devices=["/dev/ubdb"])]
