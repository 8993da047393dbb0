"""The second lab's hosts, as pyinfra reaches them. `python -m lab up zed` makes them."""

from lab.hosts import LABS as _LABS
from lab.paths import SSH as _SSH


def _reach(name):
    # The only interface is the provider network's, too: the agent moves its address to a bridge.
    return name, {
        "ssh_hostname": _LABS["zed"].host(name).address,
        "ssh_key": str(_SSH / "id_ed25519"),
        "ssh_known_hosts_file": str(_SSH / "known_hosts"),
        "interface": "host0",
        "provider_interface": "host0",
    }


controller = [_reach("controller")]
compute = [_reach("compute")]
