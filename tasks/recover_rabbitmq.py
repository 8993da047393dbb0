"""After RabbitMQ's members lost one another: those that split off join again, silent services restart.

A service is silent when its unit is active and nobody hears its heartbeat. See docs/recovery.md.
"""

from pyinfra import host

from operations import rabbitmq_cluster, recovery, verify
from tasks.context import cloud

if cloud.clustered and cloud.does("database", host):
    rabbitmq_cluster.collect(name="Ask RabbitMQ's members what they are", cloud=cloud)
    for member in host.loop(cloud.work["database"]):
        if host.name == member:
            rabbitmq_cluster.recovered(
                name=f"Let {member} join the others if it split off, 300 seconds at most for its start",
                cloud=cloud,
                timeout=300,
            )

verify.collect(name="Ask every host and the APIs which services are heard of", cloud=cloud)
recovery.restarted(name="Restart services that run and are not heard of", cloud=cloud)
