"""memcached: tokens and sessions, on the management address only: it has no password."""

from pyinfra import host

from operations import config, service
from tasks.context import cloud

node = cloud.node(host)

if cloud.does("database", host):
    config.file(
        name="Configure memcached",
        src="templates/memcached/memcached.conf.j2",
        dest=node.path("memcached"),
        mode="644",
        cloud=cloud,
        node=node,
    )
    service.running(
        name="Start memcached", units=[node.unit("cache/server")], config=[node.path("memcached")]
    )
