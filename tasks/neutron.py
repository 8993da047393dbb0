"""Networking service (neutron): API and RPC server first, then the agents of every host."""

from pyinfra import host
from pyinfra.operations import files

from cloud.frontends import told
from cloud.identity import registration
from operations import config, identity, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("neutron")
controller = this.runs_on(host)
network = cloud.does("network", host)
compute = cloud.does("compute", host)
data = {"overrides": node.settings.config_overrides, "cloud": cloud, "service": this, "node": node}

conf = "/etc/neutron/neutron.conf"
ml2 = "/etc/neutron/plugins/ml2/ml2_conf.ini"
openvswitch = "/etc/neutron/plugins/ml2/openvswitch_agent.ini"
linuxbridge = "/etc/neutron/plugins/ml2/linuxbridge_agent.ini"
dhcp = "/etc/neutron/dhcp_agent.ini"
l3 = "/etc/neutron/l3_agent.ini"
metadata = "/etc/neutron/metadata_agent.ini"

if controller or network or compute:
    config.merge(
        name="Configure neutron",
        src="templates/neutron/neutron.conf.j2",
        dest=conf,
        group="neutron",
        **data,
    )

if controller:
    config.merge(
        name="Configure the ML2 plug-in",
        src="templates/neutron/ml2_conf.ini.j2",
        dest=ml2,
        group="neutron",
        **data,
    )
    for uwsgi in node.paths("neutron-uwsgi"):
        config.merge(
            name="Set neutron's number of processes",
            src="templates/common/uwsgi.ini.j2",
            dest=uwsgi,
            mode="644",
            **data,
        )

    for plugin in node.paths("plugin"):
        # neutron-server's unit reads this one.
        files.link(name="Name the ML2 plug-in", path=plugin, target=ml2)

if cloud.is_first("controller", host):
    schema.at_head(
        name="Bring neutron's schema to head",
        cloud=cloud,
        service=this.name,
        commands=[f"neutron-db-manage --config-file {conf} --config-file {ml2} upgrade head"],
    )
    identity.present(name="Register neutron", **registration(cloud, "neutron"))

if controller:
    service.running(
        name="Start neutron's API and RPC server",
        units=cloud.units(host, "neutron/api", "neutron/rpc"),
        config=[conf, ml2, *node.paths("neutron-uwsgi")],
        behind=told(cloud, host, "neutron"),
    )

if controller or network or compute:
    # Every host of the task waits here, so no agent starts before the server: one whose first call finds
    # nobody waits out a whole RPC timeout before it tries again.
    service.answering(
        name="Wait until neutron answers, 90 seconds at most",
        url=this.url("internal", "/"),
        timeout=90,
        ca=cloud.internal_ca_file or "",
    )

if (network or compute) and cloud.openvswitch:
    config.merge(
        name="Configure the Open vSwitch agent",
        src="templates/neutron/openvswitch_agent.ini.j2",
        dest=openvswitch,
        group="neutron",
        **data,
    )

if (network or compute) and not cloud.openvswitch:
    config.merge(
        name="Configure the Linux bridge agent",
        src="templates/neutron/linuxbridge_agent.ini.j2",
        dest=linuxbridge,
        group="neutron",
        **data,
    )

if network:
    config.merge(
        name="Configure the DHCP agent",
        src="templates/neutron/dhcp_agent.ini.j2",
        dest=dhcp,
        group="neutron",
        **data,
    )
    config.merge(
        name="Configure the metadata agent",
        src="templates/neutron/metadata_agent.ini.j2",
        dest=metadata,
        group="neutron",
        **data,
    )

if network and cloud.self_service:
    config.merge(
        name="Configure the L3 agent",
        src="templates/neutron/l3_agent.ini.j2",
        dest=l3,
        group="neutron",
        **data,
    )

if network or compute:
    service.running(
        name="Start neutron's agents",
        units=[node.unit(f"neutron/{agent}") for agent in cloud.network_agents(host)],
        config=[conf, openvswitch, linuxbridge, dhcp, l3, metadata],
    )
