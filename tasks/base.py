"""What every service takes for granted: the host's name, its neighbours' addresses, one time zone."""

from pyinfra import host
from pyinfra.operations import server

from operations import hosts, system
from tasks.context import cloud

server.hostname(name="Set the host name", hostname=host.name)
hosts.named(
    name="Name the cloud's hosts in /etc/hosts",
    hosts={node.name: node.address for node in cloud.nodes.values()},
)
system.timezone(name="Set the time zone", timezone=cloud.settings.timezone)
