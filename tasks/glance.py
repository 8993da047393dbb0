"""Image service (glance): schema, API, catalog entry."""

from pathlib import Path

from pyinfra import host

from cloud.expected import IMAGES_PROGRAM, mirrors
from cloud.frontends import told
from cloud.identity import registration
from operations import config, identity, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("glance")
others = [other for other in cloud.doing("controller") if other.name != node.name]

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
        behind=told(cloud, host, "glance"),
    )

if mirrors(cloud, host):
    config.file(
        name="Install what fetches images from the other controllers",
        content=Path("operations/installed/images.py").read_text(),
        dest=IMAGES_PROGRAM,
        mode="755",
    )
    config.file(
        name="Say how images are fetched",
        src="templates/glance/openstack-images.service.j2",
        dest="/etc/systemd/system/openstack-images.service",
        mode="644",
        node=node,
        service=this,
        program=IMAGES_PROGRAM,
        peers=[other.address for other in others],
    )
    config.file(
        name="Say when images are fetched",
        src="templates/glance/openstack-images.timer.j2",
        dest="/etc/systemd/system/openstack-images.timer",
        mode="644",
    )
    service.running(
        name="Fetch images from the other controllers, each minute",
        units=["openstack-images.timer"],
        config=["/etc/systemd/system/openstack-images.timer"],
        triggers=["openstack-images.service"],
    )
elif cloud.does("controller", host) and others:
    service.stopped(name="Leave images to shared storage", units=["openstack-images.timer"])
