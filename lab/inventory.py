"""The lab's hosts, as pyinfra reaches them. `python -m lab up` makes them."""

from lab.hosts import EPOXY as _lab
from lab.paths import run_folder as _run_folder


def _reach(name, **data):
    return (
        name,
        {
            "ssh_hostname": str(_lab[name].address),
            "ssh_key": str(_run_folder() / "id_ed25519"),
            "ssh_known_hosts_file": str(_run_folder() / "known_hosts"),
            **data,
        },
    )


controller = [
    _reach(
        "controller",
        interface="host0",
        provider_interface="prov0",
        tunnel_interface="tun0",
        tunnel_address="10.56.2.11",
    ),
]
compute = [
    _reach(
        "compute",
        interface="host0",
        provider_interface="prov0",
        tunnel_interface="tun0",
        tunnel_address="10.56.2.12",
    ),
]
storage = [_reach("storage", interface="vec0", volume_devices=["/dev/ubdb"])]
