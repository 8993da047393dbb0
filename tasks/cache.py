"""memcached: tokens and sessions, on the management address only: it has no password."""

from pyinfra import host

from operations import config, service
from tasks.context import cloud

node = cloud.node(host)

if cloud.does("database", host):
    for path in node.paths("memcached"):
        config.file(
            name="Configure memcached",
            src="templates/memcached/memcached.conf.j2",
            dest=path,
            mode="644",
            cloud=cloud,
            node=node,
        )
    for path in node.paths("memcached-sysconfig"):
        config.file(
            name="Configure memcached",
            src="templates/memcached/sysconfig.j2",
            dest=path,
            mode="644",
            cloud=cloud,
            node=node,
        )
    service.running(
        name="Start memcached",
        units=[node.unit("cache/server")],
        config=node.paths("memcached", "memcached-sysconfig"),
    )
