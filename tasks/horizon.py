"""Dashboard (Horizon): its settings, and the interpreter it runs in."""

from pyinfra import host

from cloud.frontends import told
from operations import config, service
from tasks.context import cloud

node = cloud.node(host)

if cloud.does("controller", host):
    for settings in node.paths("horizon-settings"):
        config.file(
            name="Configure Horizon",
            src="templates/horizon/local_settings.py.j2",
            dest=settings,
            group=node.platform.groups["web"],
            cloud=cloud,
        )
    for settings in node.paths("horizon-local-settings"):
        config.block(
            name="Configure Horizon, after the distribution's settings",
            src="templates/horizon/local_settings.py.j2",
            dest=settings,
            group=node.platform.groups["web"],
            cloud=cloud,
        )
    for wsgi in node.paths("horizon-wsgi"):
        config.file(
            name="Run Horizon in the main interpreter",
            src="templates/horizon/wsgi.conf.j2",
            dest=wsgi,
            mode="644",
            cloud=cloud,
            node=node,
        )
    service.running(
        name="Start Horizon's web server, 300 seconds at most",
        units=[node.unit("horizon/web")],
        config=node.paths("horizon-settings", "horizon-local-settings", "horizon-wsgi"),
        # EL's httpd gathers and compresses Horizon's files at each start, and has five minutes for it.
        timeout=300,
        behind=told(cloud, host, "horizon"),
    )
