"""After a power cut of all database hosts: the member that got furthest begins, the others join it.

Refuses while a member serves. `pyinfra inventory.py tasks/recover_database.py`: see docs/recovery.md.
"""

from pyinfra import host

from operations import galera
from tasks.context import cloud

node = cloud.node(host)

if cloud.clustered and cloud.does("database", host):
    galera.collect(name="Ask MariaDB's members what they are", cloud=cloud)
    galera.halted(name="Stop MariaDB where it waits in vain", cloud=cloud)
    galera.collect(name="Ask the members how far they got", cloud=cloud, recover=True)
    galera.recovered(
        name="Begin with the member that got furthest, synced after 600 seconds at most",
        cloud=cloud,
        timeout=600,
    )
    for member in host.loop(cloud.work["database"]):
        if host.name == member:
            galera.running(
                name=f"Let {member} join, synced after 600 seconds at most",
                cloud=cloud,
                config=[node.path("mariadb")],
                timeout=600,
            )
