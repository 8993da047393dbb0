"""Identity service (keystone): schema, keys, first administrator, projects, roles, its catalog entry."""

from pyinfra import host
from pyinfra.operations import files

from cloud.frontends import told
from cloud.identity import registration
from operations import config, identity, keystone, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("keystone")

if this.runs_on(host):
    config.merge(
        name="Configure keystone",
        src="templates/keystone/keystone.conf.j2",
        dest="/etc/keystone/keystone.conf",
        group="keystone",
        overrides=node.settings.config_overrides,
        cloud=cloud,
        service=this,
    )
    for uwsgi in node.paths("keystone-uwsgi"):
        config.merge(
            name="Set keystone's number of processes",
            src="templates/common/uwsgi.ini.j2",
            dest=uwsgi,
            mode="644",
            overrides=node.settings.config_overrides,
            service=this,
        )

    for path in node.paths("httpd"):
        config.file(
            name="Tell httpd its name",
            src="templates/httpd/servername.conf.j2",
            dest=path,
            mode="644",
            node=node,
        )
    if cloud.release.has("keystone_wsgi_shipped"):
        for path, shipped in zip(
            node.paths("keystone-wsgi"), node.paths("keystone-wsgi-shipped"), strict=True
        ):
            files.link(name="Let httpd run keystone", path=path, target=shipped)
    else:
        for path in node.paths("keystone-wsgi"):
            config.file(
                name="Let httpd run keystone",
                src="templates/httpd/wsgi-keystone.conf.j2",
                dest=path,
                mode="644",
            )

if cloud.is_first("controller", host):
    schema.at_head(
        name="Bring keystone's schema to head",
        cloud=cloud,
        service=this.name,
        commands=["keystone-manage db_sync"],
    )

if this.runs_on(host) and not cloud.release.has("uuid_tokens"):
    controllers = cloud.work["controller"]
    keystone.collect(name="Ask the controllers which keys they have")
    if cloud.is_first("controller", host):
        keystone.keys(name="Create the keys that sign tokens", repository="fernet", controllers=controllers)
        keystone.keys(
            name="Create the keys that encrypt credentials", repository="credential", controllers=controllers
        )
    keystone.take(name="Read the newest keys, where a controller lacks any", controllers=controllers)
    keystone.distributed(
        name="Have the newest keys that sign tokens", repository="fernet", controllers=controllers
    )
    keystone.distributed(
        name="Have the newest keys that encrypt credentials", repository="credential", controllers=controllers
    )

if this.runs_on(host):
    service.running(
        name="Start keystone, 300 seconds at most",
        units=[node.unit("keystone/api")],
        config=["/etc/keystone/keystone.conf", *node.paths("keystone-uwsgi", "keystone-wsgi", "httpd")],
        timeout=300,  # EL's httpd compresses Horizon's files first
        behind=told(cloud, host, "keystone"),
    )

if cloud.is_first("controller", host):
    service.answering(
        name="Wait until keystone answers, 90 seconds at most",
        url=this.url("internal"),
        timeout=90,
        ca=cloud.internal_ca_file or "",
    )
    if cloud.release.has("bootstrap"):
        keystone.bootstrapped(name="Make the first administrator", admin=cloud.admin_credentials)
    identity.present(
        name="Register keystone, the projects admin, service and demo, and the demo user",
        **registration(cloud, "keystone"),
    )
