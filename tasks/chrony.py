"""One time for the whole cloud: agents with a wrong clock count as dead, and tokens expire early."""

from pyinfra import host

from operations import config, service
from tasks.context import cloud

node = cloud.node(host)

config.file(
    name="Configure chrony",
    src="templates/chrony/chrony.conf.j2",
    dest=node.path("chrony"),
    mode="644",
    cloud=cloud,
    node=node,
)
service.running(name="Start chrony", units=[node.unit("chrony/server")], config=[node.path("chrony")])
