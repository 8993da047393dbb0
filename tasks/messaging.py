"""RabbitMQ: the message queue between the services of OpenStack."""

from pyinfra import host

from operations import config, rabbitmq, service
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
    )
