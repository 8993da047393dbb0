"""The lab's hosts, as pyinfra reaches them. `python -m lab up` makes them."""

from lab import ssh as _ssh
from lab.hosts import chosen as _chosen


def _nspawn(name, tunnel_address):
    return _ssh.reach(
        _chosen(),
        name,
        interface="host0",
        provider_interface="prov0",
        tunnel_interface="tun0",
        tunnel_address=tunnel_address,
    )


def _uml(name, tunnel_address):
    return _ssh.reach(
        _chosen(),
        name,
        interface="vec0",
        provider_interface="vec1",
        tunnel_interface="vec2",
        tunnel_address=tunnel_address,
    )


controller = [_nspawn("controller", "10.56.2.11")]
compute = [_nspawn("compute", "10.56.2.12"), _uml("compute2", "10.56.2.14")]
storage = [_ssh.reach(_chosen(), "storage", interface="vec0", volume_devices=["/dev/ubdb"])]
