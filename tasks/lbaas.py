"""Load balancers as a service: neutron's agent with haproxy, which Stein was the last release to have."""

from pyinfra import host

from operations import config, service
from tasks.context import cloud

node = cloud.node(host)
controller = cloud.does("controller", host)
network = cloud.does("network", host)
agent = "/etc/neutron/lbaas_agent.ini"
providers = "/etc/neutron/neutron_lbaas.conf"

if cloud.settings.lbaas and (controller or network):
    config.merge(
        name="Name the load balancers' provider",
        src="templates/neutron/neutron_lbaas.conf.j2",
        dest=providers,
        group="neutron",
        overrides=node.settings.config_overrides,
    )

if cloud.settings.lbaas and controller:
    service.running(
        name="Let neutron's server know of the provider",
        units=[node.unit("neutron/api")],
        config=[providers],
    )

if cloud.settings.lbaas and network:
    config.merge(
        name="Configure the load balancing agent",
        src="templates/neutron/lbaas_agent.ini.j2",
        dest=agent,
        group="neutron",
        overrides=node.settings.config_overrides,
        cloud=cloud,
    )
    service.running(
        name="Start the load balancing agent",
        units=[node.unit("neutron/lbaas")],
        config=["/etc/neutron/neutron.conf", agent, providers],
    )
