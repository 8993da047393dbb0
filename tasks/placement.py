"""Placement service: what each compute host has to give, and who has taken what."""

from pyinfra import host

from cloud.identity import registration
from operations import config, identity, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("placement")

if this.runs_on(host):
    config.merge(
        name="Configure placement",
        src="templates/placement/placement.conf.j2",
        dest="/etc/placement/placement.conf",
        group="placement",
        overrides=node.settings.config_overrides,
        cloud=cloud,
        service=this,
    )
    config.merge(
        name="Set placement's number of processes",
        src="templates/common/uwsgi.ini.j2",
        dest=node.path("placement-uwsgi"),
        mode="644",
        overrides=node.settings.config_overrides,
        service=this,
    )

if cloud.is_first("controller", host):
    schema.at_head(
        name="Bring placement's schema to head",
        cloud=cloud,
        service=this.name,
        commands=["placement-manage db sync"],
    )
    identity.present(name="Register placement", **registration(cloud, "placement"))

if this.runs_on(host):
    service.running(
        name="Start placement",
        units=[node.unit("placement/api")],
        config=["/etc/placement/placement.conf", node.path("placement-uwsgi")],
    )
