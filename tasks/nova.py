"""Compute service (nova): controllers first, then compute hosts, then the cell learns of them."""

from pyinfra import host

from cloud.frontends import told
from cloud.identity import registration
from cloud.platforms import LIBVIRT
from facts.hypervisor import VirtType
from operations import config, identity, iscsi, nova, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("nova")
controller = this.runs_on(host)
compute = cloud.does("compute", host)

if controller or compute:
    virt_type = node.settings.virt_type
    if compute and virt_type == "auto":
        virt_type = host.get_fact(VirtType)
    config.merge(
        name="Configure nova",
        src="templates/nova/nova.conf.j2",
        dest="/etc/nova/nova.conf",
        group="nova",
        overrides=node.settings.config_overrides,
        cloud=cloud,
        service=this,
        node=node,
        virt_type=virt_type,
    )

if controller:
    for uwsgi in node.paths("nova-uwsgi", "nova-metadata-uwsgi"):
        config.merge(
            name=f"Set the number of processes in {uwsgi}",
            src="templates/common/uwsgi.ini.j2",
            dest=uwsgi,
            mode="644",
            overrides=node.settings.config_overrides,
            service=this,
        )
    for proxy in node.paths("console-proxy"):
        config.file(
            name="Choose the console proxy",
            src="templates/nova/consoleproxy.j2",
            dest=proxy,
            mode="644",
        )

if cloud.is_first("controller", host):
    # The order matters: the API database first, as it holds the map of the cells that "db sync" walks.
    if cloud.release.has("nova_api_database"):
        schema.at_head(
            name="Bring nova's API schema to head",
            cloud=cloud,
            service=this.name,
            databases=["nova_api"],
            commands=["nova-manage api_db sync"],
        )
    if cloud.release.has("nova_cells"):
        nova.cells(
            name="Map cell0 and cell1",
            cloud=cloud,
        )
    schema.at_head(
        name="Bring nova's schema to head in every cell",
        cloud=cloud,
        service=this.name,
        databases=["nova_cell0", "nova"],
        commands=["nova-manage db sync"],
    )
    identity.present(name="Register nova", **registration(cloud, "nova"))

if controller:
    service.running(
        name="Start nova's API, scheduler, conductor and console proxy",
        units=cloud.units(
            host,
            "nova/conductor",
            "nova/scheduler",
            "nova/cert",
            "nova/consoleauth",
            "nova/api",
            "nova/metadata",
            "nova/novncproxy",
        ),
        config=[
            "/etc/nova/nova.conf",
            *node.paths("nova-uwsgi", "nova-metadata-uwsgi", "console-proxy"),
        ],
        behind=told(cloud, host, "nova", "nova-metadata", "console"),
    )

if controller and cloud.release.has("placement_in_nova"):
    service.running(
        name="Let placement read nova's configuration",
        units=[node.unit("placement/api")],
        config=["/etc/nova/nova.conf"],
    )

if controller or compute:
    # Every host of the task waits here, so no nova-compute starts before the conductor: it would block
    # until systemd gives it up.
    service.answering(
        name="Wait until nova answers, 90 seconds at most",
        url=this.url("internal", "/"),
        timeout=90,
        ca=cloud.internal_ca_file or "",
    )

if compute:
    for path in node.paths("nova-compute"):
        config.merge(
            name="Set the hypervisor",
            src="templates/nova/nova-compute.conf.j2",
            dest=path,
            group="nova",
            overrides=node.settings.config_overrides,
            node=node,
            virt_type=virt_type,
        )
    # Before the first volume is attached: nova tells the storage host who will log in. The daemon is not
    # started here: iscsiadm does that (iscsid.startup), and where the kernel has no initiator it can't run.
    if "cinder" in cloud.services:
        iscsi.initiator_named(name="Name the host for iSCSI")
    hook = "/etc/libvirt/hooks/qemu.d/taps-up"
    if node.user_space:
        config.file(
            name="Keep the instances' tap devices up",
            src="templates/libvirt/taps-up.j2",
            dest=hook,
            mode="755",
            directory=True,
        )
    # libvirt looks for its hooks when it starts.
    service.running(name="Start libvirt", units=cloud.units(host, *LIBVIRT), config=[hook])
    service.running(
        name="Start nova-compute",
        units=[node.unit("nova/compute")],
        config=["/etc/nova/nova.conf", *node.paths("nova-compute")],
    )

if (controller or compute) and cloud.release.has("nova_cells"):
    # Works on the first controller; the others take part so that it comes after their nova-compute's start.
    nova.hosts_mapped(
        # libvirt's first start asks each of QEMU's 30 emulators what it can do: minutes on a slow host.
        name="Map every compute host into its cell, waiting 300 seconds at most for all to report",
        cloud=cloud,
        timeout=300,
    )
