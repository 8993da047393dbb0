"""MariaDB: one database per schema, one user per service, bound to the management address."""

from pyinfra import host

from cloud.frontends import CHECK_USER
from operations import config, database, service
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
    service.running(name="Start MariaDB", units=[node.unit("database/server")], config=[node.path("mariadb")])
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
