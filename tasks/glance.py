"""Image service (glance): schema, API, catalog entry."""

from pyinfra import host

from cloud.identity import registration
from operations import config, identity, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("glance")

if this.runs_on(host):
    config.merge(
        name="Configure glance",
        src="templates/glance/glance-api.conf.j2",
        dest="/etc/glance/glance-api.conf",
        group="glance",
        overrides=node.settings.config_overrides,
        cloud=cloud,
        service=this,
        node=node,
    )
    for uwsgi in node.paths("glance-uwsgi"):
        config.merge(
            name="Set glance's number of processes",
            src="templates/common/uwsgi.ini.j2",
            dest=uwsgi,
            mode="644",
            overrides=node.settings.config_overrides,
            service=this,
        )

    if cloud.release.has("glance_registry"):
        config.merge(
            name="Configure glance's registry",
            src="templates/glance/glance-registry.conf.j2",
            dest="/etc/glance/glance-registry.conf",
            group="glance",
            overrides=node.settings.config_overrides,
            cloud=cloud,
            service=this,
        )

if cloud.is_first("controller", host):
    schema.at_head(
        name="Bring glance's schema to head",
        cloud=cloud,
        service=this.name,
        commands=["glance-manage db_sync"],
    )
    identity.present(name="Register glance", **registration(cloud, "glance"))

if this.runs_on(host):
    service.running(
        name="Start glance",
        units=cloud.units(host, "glance/registry", "glance/api"),
        config=[
            "/etc/glance/glance-api.conf",
            "/etc/glance/glance-registry.conf",
            *node.paths("glance-uwsgi"),
        ],
    )
