"""RabbitMQ: the message queue between the services of OpenStack; or a cluster of it."""

from pyinfra import host

from operations import config, rabbitmq, rabbitmq_cluster, service
from tasks.context import cloud

node = cloud.node(host)

if cloud.does("database", host):
    config.file(
        name="Configure RabbitMQ",
        src="templates/rabbitmq/rabbitmq-env.conf.j2",
        dest=node.path("rabbitmq-env"),
        mode="644",
        cloud=cloud,
        node=node,
    )
    if cloud.clustered:
        cluster = [node.path("rabbitmq-env"), node.path("rabbitmq"), node.path("rabbitmq-cookie")]
        config.file(
            name="Give RabbitMQ's members their common cookie",
            content=cloud.secret("rabbitmq_erlang_cookie"),
            dest=node.path("rabbitmq-cookie"),
            user="rabbitmq",
            group="rabbitmq",
            mode="400",
        )
        config.file(
            name="Name RabbitMQ's members",
            src="templates/rabbitmq/rabbitmq.conf.j2",
            dest=node.path("rabbitmq"),
            mode="644",
            cloud=cloud,
        )
        rabbitmq_cluster.collect(name="Ask RabbitMQ's members what they are", cloud=cloud)
        rabbitmq_cluster.returned(
            name="Start RabbitMQ where it was a member before, 300 seconds at most", cloud=cloud, timeout=300
        )
        # In the inventory's order, which _serial does not keep: the first one makes the cluster.
        for member in host.loop(cloud.work["database"]):
            if host.name == member:
                rabbitmq_cluster.running(
                    name=f"Start RabbitMQ on {member}, 300 seconds at most",
                    cloud=cloud,
                    config=cluster,
                    timeout=300,
                )
    else:
        service.running(
            name="Start RabbitMQ",
            units=[node.unit("messaging/server")],
            config=[node.path("rabbitmq-env")],
        )
    rabbitmq.configured(
        name="Give OpenStack its user, take guest away, enable the management plugin",
        user="openstack",
        password=cloud.secret("rabbitmq_password"),
        plugins=["rabbitmq_management"],
        absent=["guest"],
        # The first member's user is everyone's: the others find it there.
        _serial=cloud.clustered,
    )
