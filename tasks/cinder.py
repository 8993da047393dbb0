"""Block storage service (cinder): API and scheduler on controllers, volumes on storage hosts."""

from pyinfra import host

from cloud.frontends import told
from cloud.identity import registration
from operations import config, identity, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("cinder")
controller = this.runs_on(host)
storage = cloud.does("storage", host)
conf = "/etc/cinder/cinder.conf"

if controller or storage:
    config.merge(
        name="Configure cinder",
        src="templates/cinder/cinder.conf.j2",
        dest=conf,
        group="cinder",
        overrides=node.settings.config_overrides,
        cloud=cloud,
        service=this,
        node=node,
    )
if controller:
    for uwsgi in node.paths("cinder-uwsgi"):
        config.merge(
            name="Set cinder's number of processes",
            src="templates/common/uwsgi.ini.j2",
            dest=uwsgi,
            mode="644",
            overrides=node.settings.config_overrides,
            service=this,
        )

if controller and cloud.is_first("controller", host):
    schema.at_head(
        name="Bring cinder's schema to head",
        cloud=cloud,
        service=this.name,
        commands=["cinder-manage db sync"],
    )
    identity.present(name="Register cinder", **registration(cloud, "cinder"))

if controller:
    service.running(
        name="Start cinder's API and scheduler",
        units=[node.unit("cinder/scheduler"), node.unit("cinder/api")],
        config=[conf, *node.paths("cinder-uwsgi")],
        behind=told(cloud, host, "cinder"),
    )

if controller or storage:
    # Every host of the task waits here: a volume service needs the schema and the scheduler.
    service.answering(
        name="Wait until cinder answers, 90 seconds at most",
        url=this.url("internal", "/"),
        timeout=90,
        ca=cloud.internal_ca_file or "",
    )

if storage:
    service.running(
        name="Start the iSCSI target and cinder-volume",
        units=[node.unit("iscsi/target"), node.unit("cinder/volume")],
        config=[conf, "/etc/lvm/lvm.conf"],
    )
