"""The hosts of the lab `el`, for a cloud that packstack builds. `python -m lab up el` makes them."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

_interfaces = {"interface": "host0", "provider_interface": "host0"}

controller = [_ssh.reach(_LABS["el"], "controller", **_interfaces)]
compute = [_ssh.reach(_LABS["el"], "compute", **_interfaces)]
storage = [_ssh.reach(_LABS["el"], "storage", interface="vec0", volume_devices=["/dev/ubdb"])]
