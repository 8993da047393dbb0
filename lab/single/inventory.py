"""The host with one interface, as pyinfra reaches it. `python -m lab up single` makes it."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

# The provider bridge takes over what carries the management address. A container's Open vSwitch has no kernel
# module.
_host = _ssh.reach(
    _LABS["single"],
    "host",
    interface="host0",
    provider_interface="host0",
    openvswitch_datapath="netdev",
)

controller = [_host]
compute = [_host]
