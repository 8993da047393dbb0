"""Networking service (neutron): API and RPC server first, then the agents of every host."""

from pyinfra import host

from operations import config, identity, schema, service
from tasks.context import cloud

node = cloud.node(host)
this = cloud.service("neutron")
controller = this.runs_on(host)
network = cloud.does("network", host)
compute = cloud.does("compute", host)
data = {"cloud": cloud, "service": this, "node": node}
overrides = cloud.settings.config_overrides
files = {
    "neutron.conf": "/etc/neutron/neutron.conf",
    "ml2_conf.ini": "/etc/neutron/plugins/ml2/ml2_conf.ini",
    "openvswitch_agent.ini": "/etc/neutron/plugins/ml2/openvswitch_agent.ini",
    "dhcp_agent.ini": "/etc/neutron/dhcp_agent.ini",
    "l3_agent.ini": "/etc/neutron/l3_agent.ini",
    "metadata_agent.ini": "/etc/neutron/metadata_agent.ini",
}

wanted = []
if controller or network or compute:
    wanted += ["neutron.conf"]
if controller:
    wanted += ["ml2_conf.ini"]
if network or compute:
    wanted += ["openvswitch_agent.ini"]
if network:
    wanted += ["dhcp_agent.ini", "l3_agent.ini", "metadata_agent.ini"]
for file in wanted:
    config.merge(
        name=f"Configure neutron: {file}",
        src=f"templates/neutron/{file}.j2",
        dest=files[file],
        group="neutron",
        overrides=overrides,
        **data,
    )
if controller:
    config.merge(
        name="Set neutron's number of processes",
        src="templates/common/uwsgi.ini.j2",
        dest=node.path("neutron-uwsgi"),
        mode="644",
        overrides=overrides,
        **data,
    )

if cloud.is_first("controller", host):
    schema.at_head(
        name="Bring neutron's schema to head",
        cloud=cloud, service=this.name,
        commands=[
            "neutron-db-manage --config-file /etc/neutron/neutron.conf "
            "--config-file /etc/neutron/plugins/ml2/ml2_conf.ini upgrade head"
        ],
    )
    identity.present(name="Register neutron", **cloud.identity_of("neutron"))

if controller:
    service.running(
        name="Start neutron's API and RPC server",
        units=[node.unit("neutron/api"), node.unit("neutron/rpc")],
        config=[files["neutron.conf"], files["ml2_conf.ini"], node.path("neutron-uwsgi")],
    )
    # An agent whose first call finds no server waits out a whole RPC timeout before it tries again.
    service.answering(
        name="Wait until neutron answers, 90 seconds at most",
        url=f"http://{node.address}:{this.port}/",
        timeout=90,
    )

agents = []
if network or compute:
    agents += ["openvswitch"]
if network:
    agents += ["dhcp", "l3", "metadata"]
if agents:
    service.running(
        name="Start neutron's agents",
        units=[node.unit(f"neutron/{agent}") for agent in agents],
        config=[path for file, path in files.items() if file in wanted and file != "ml2_conf.ini"],
    )
