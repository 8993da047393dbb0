"""MariaDB, or a cluster of it: one database per schema, one user per service, on the management address."""

from pyinfra import host

from cloud.frontends import CHECK_USER
from operations import config, database, galera, service
from tasks.context import cloud

node = cloud.node(host)

if cloud.does("database", host):
    config.file(
        name="Configure MariaDB",
        src="templates/mariadb/openstack.cnf.j2",
        dest=node.path("mariadb"),
        mode="644",
        cloud=cloud,
        node=node,
    )
    if cloud.clustered:
        galera.collect(name="Ask MariaDB's members what they are", cloud=cloud)
        # In the inventory's order, which _serial does not keep: the first one makes the cluster.
        for member in host.loop(cloud.work["database"]):
            if host.name == member:
                galera.running(
                    name=f"Start MariaDB on {member}, synced after 600 seconds at most",
                    cloud=cloud,
                    config=[node.path("mariadb")],
                    timeout=600,
                )
    else:
        service.running(
            name="Start MariaDB", units=[node.unit("database/server")], config=[node.path("mariadb")]
        )

# What is done on one member is done on all.
if cloud.is_first("database", host):
    database.hardened(name="Remove MariaDB's anonymous users and its test database")
    database.present(
        name="Create the services' databases and grants",
        databases=[
            {"database": name, "user": owner.name, "password": owner.database_password}
            for owner in cloud.services.values()
            for name in owner.spec.databases
        ],
        charset=cloud.charset,
        collation=f"{cloud.charset}_general_ci",
    )
    if cloud.work["loadbalancer"]:
        database.watched(
            name="Let the load balancers ask whether MariaDB serves",
            user=CHECK_USER,
            hosts=[balancer.address for balancer in cloud.doing("loadbalancer")],
        )
