"""The hosts of the lab `ha`, as pyinfra reaches them. `python -m lab up ha` makes them."""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS


def _networked(name, number):
    return _ssh.reach(
        _LABS["ha"],
        name,
        interface="host0",
        provider_interface="prov0",
        tunnel_interface="tun0",
        tunnel_address=f"10.66.2.{number}",
    )


loadbalancer = [_ssh.reach(_LABS["ha"], f"lb{n}", interface="host0") for n in (1, 2)]
controller = [_networked(f"controller{n}", 10 + n) for n in (1, 2, 3)]
compute = [_networked("compute", 31)]
storage = [_ssh.reach(_LABS["ha"], "storage", interface="vec0", volume_devices=["/dev/ubdb"])]
