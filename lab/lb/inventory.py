"""The hosts of the lab with load balancers, as pyinfra reaches them. `python -m lab up lb` makes them."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

# The only interface is the provider network's, too: the agent moves its address to a bridge.
_interfaces = {"interface": "host0", "provider_interface": "host0"}

loadbalancer = [_ssh.reach(_LABS["lb"], name, interface="host0") for name in ("lb1", "lb2")]
database = [_ssh.reach(_LABS["lb"], "database", interface="host0")]
controller = [_ssh.reach(_LABS["lb"], "controller", **_interfaces)]
compute = [_ssh.reach(_LABS["lb"], "compute", **_interfaces)]
