"""The lab's hosts, as pyinfra reaches them. `python -m lab up` makes them."""

from lab.hosts import chosen as _chosen
from lab.paths import SSH as _SSH

_lab = _chosen()


def _reach(name, **data):
    host = _lab.host(name)
    keys = {"ssh_key": str(_SSH / "id_ed25519"), "ssh_known_hosts_file": str(_SSH / "known_hosts")}
    return name, {"ssh_hostname": host.address, **keys, **data}


def _nspawn(name, tunnel_address):
    return _reach(
        name,
        interface="host0",
        provider_interface="prov0",
        tunnel_interface="tun0",
        tunnel_address=tunnel_address,
    )


def _uml(name, tunnel_address):
    return _reach(
        name,
        interface="vec0",
        provider_interface="vec1",
        tunnel_interface="vec2",
        tunnel_address=tunnel_address,
    )


controller = [_nspawn("controller", "10.56.2.11")]
compute = [_nspawn("compute", "10.56.2.12"), _uml("compute2", "10.56.2.14")]
storage = [_reach("storage", interface="vec0", volume_devices=["/dev/ubdb"])]
