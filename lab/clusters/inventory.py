"""Three database hosts, as pyinfra reaches them. `python -m lab up clusters` makes them, and no other host.

So every run there is limited to them: `pyinfra lab/clusters/inventory.py tasks/database.py --limit database`.
"""

from lab import ssh as _ssh
from lab.hosts import LABS as _LABS

# The members of a whole cloud that nobody makes: they are in the files, and never contacted.
controller = [("controller", {"ssh_hostname": "10.64.0.11", "provider_interface": "prov0"})]
compute = [("compute", {"ssh_hostname": "10.64.0.12", "provider_interface": "prov0"})]
loadbalancer = [
    ("lb1", {"ssh_hostname": "10.64.0.31", "interface": "host0"}),
    ("lb2", {"ssh_hostname": "10.64.0.32", "interface": "host0"}),
]
database = [_ssh.reach(_LABS["clusters"], f"database{n}", interface="host0") for n in (1, 2, 3)]
