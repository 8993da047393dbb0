"""Placement service: what each compute host has to give, and who has taken what."""

from pyinfra import host

from cloud.frontends import told
from cloud.identity import registration
from operations import config, identity, schema, service
from tasks.context import cloud

node = cloud.node(host)
controller = cloud.does("controller", host)
# Until Rocky it is a part of nova, with nova's configuration, database and packages.
own = cloud.release.has("placement_service")

if controller and own:
    config.merge(
        name="Configure placement",
        src="templates/placement/placement.conf.j2",
        dest="/etc/placement/placement.conf",
        group="placement",
        overrides=node.settings.config_overrides,
        cloud=cloud,
        service=cloud.service("placement"),
    )
    for uwsgi in node.paths("placement-uwsgi"):
        config.merge(
            name="Set placement's number of processes",
            src="templates/common/uwsgi.ini.j2",
            dest=uwsgi,
            mode="644",
            overrides=node.settings.config_overrides,
            service=cloud.service("placement"),
        )

if controller and cloud.release.has("placement"):
    for wsgi in node.paths("placement-wsgi"):
        config.file(
            name="Let httpd run placement's program",
            src="templates/httpd/placement.conf.j2",
            dest=wsgi,
            mode="644",
        )

if cloud.is_first("controller", host):
    if own:
        schema.at_head(
            name="Bring placement's schema to head",
            cloud=cloud,
            service="placement",
            commands=["placement-manage db sync"],
        )
    if cloud.release.has("placement"):
        identity.present(name="Register placement", **registration(cloud, "placement"))

if controller and cloud.release.has("placement"):
    service.running(
        name="Start placement, 300 seconds at most",
        units=[node.unit("placement/api")],
        config=["/etc/placement/placement.conf", *node.paths("placement-uwsgi", "placement-wsgi")],
        timeout=300,  # EL's httpd compresses Horizon's files first
        behind=told(cloud, host, "placement"),
    )
