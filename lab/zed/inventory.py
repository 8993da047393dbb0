"""The second lab's hosts, as pyinfra reaches them. `python -m lab up zed` makes them."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

# The only interface is the provider network's, too: the agent moves its address to a bridge.
_interfaces = {"interface": "host0", "provider_interface": "host0"}

controller = [_ssh.reach(_LABS["zed"], "controller", **_interfaces)]
compute = [_ssh.reach(_LABS["zed"], "compute", **_interfaces)]
