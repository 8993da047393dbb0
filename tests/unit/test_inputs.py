"""Every mistake in the operator's input gets one clear message, and all of them at once."""

import copy
import re
from pathlib import Path

import clouds
import pytest

from cloud import inputs, settings
from cloud.identity import registration


def problems(folder, *arguments, **keywords):
    with pytest.raises(inputs.InputError) as caught:
        clouds.cloud(folder, *arguments, **keywords)
    return caught.value.problems


def hosts(**changes):
    """The default hosts with other data: name=dict, or name=None to leave one out."""
    result = copy.deepcopy(clouds.HOSTS)
    for name, change in changes.items():
        if change is None:
            del result[name]
        else:
            result[name][1].update(change)
    return result


def members(count, balancers=True):
    """The default hosts with so many of MariaDB, and load balancers."""
    left_out = {*clouds.MEMBERS[count:], *(() if balancers else ("lb1", "lb2"))}
    return {name: host for name, host in clouds.CLUSTER_HOSTS.items() if name not in left_out}


def test_default_inventory_is_a_cloud(tmp_path):
    cloud = clouds.cloud(tmp_path)
    assert [node.address for node in cloud.nodes.values()] == [
        "192.168.56.11",
        "192.168.56.12",
        "192.168.56.13",
    ]
    assert cloud.nodes["controller"].roles == {"controller", "database", "network"}
    assert cloud.service("nova").url() == "http://192.168.56.11:8774/v2.1"
    assert cloud.service("cinder").url("public") == "http://192.168.56.11:8776/v3/%(project_id)s"


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"groups": ["computes"]}, "unknown group 'computes'"),
        ({"groups": ["computes"]}, "did you mean 'compute'?"),
        ({"hosts": hosts(controller=None)}, "no host in group 'controller'"),
        ({"hosts": hosts(compute=None)}, "no host in group 'compute'"),
        (
            {"hosts": hosts(compute={"ssh_hostname": "192.168.56.11"})},
            "address 192.168.56.11 is given to more than one host: controller, compute",
        ),
        (
            {"hosts": hosts(compute={"ssh_hostname": "10.0.0.1"})},
            "compute: address 10.0.0.1 is outside management_network 192.168.56.0/24",
        ),
        ({"hosts": hosts(compute={"ssh_hostname": "192.168.56.255"})}, "network or broadcast address"),
        ({"release": "epoxi"}, "unknown release 'epoxi'"),
        (
            {"release": "train"},
            "'debian' does not have release 'train'; it has: zed (on debian 12), epoxy (on",
        ),
        ({"hosts": hosts(storage={"volume_devices": []})}, "storage: a storage host needs an empty disk"),
        ({"hosts": hosts(storage={"volume_devices": ["sdb"]})}, "'sdb' is no path in /dev"),
        ({"regoin": "x"}, "'regoin' (for controller, compute, storage); did you mean 'region'?"),
        ({"hosts": hosts(controller={"provider_interfase": "eth1"})}, "did you mean 'provider_interface'?"),
        ({"workers": 0}, "group_data/all.py: workers: "),
        ({"workers": "two"}, "found 'two'"),
        ({"management_network": "192.168.56.0/33"}, "management_network"),
        ({"management_network": ...}, "management_network: Field required"),
        ({"hosts": hosts(compute={"region": "Other"})}, "region is a setting of the whole cloud"),
        ({"hosts": hosts(controller={"provider_interface": None})}, "needs provider_interface"),
        (
            {"hosts": hosts(controller={"interface": "eth1", "tunnel_interface": "eth1"})},
            "tunnel_interface eth1 is the management or provider interface",
        ),
        (
            {"l2_agent": "linuxbridge", "release": "zed", "firewall": "on"},
            "compute: firewall 'on' would refuse the instances' traffic, which l2_agent 'linuxbridge' leads",
        ),
        ({"selinux": "off"}, "selinux: Input should be 'enforcing', 'permissive' or 'disabled'"),
        ({"firewall": True}, "firewall: Input should be 'off' or 'on'"),
        (
            {"network_manager": "none"},
            "network_manager: Input should be 'off' or 'on'",
        ),
        (
            {"config_overrides": {"/etc/nova/nova.cnf": {"DEFAULT": {"debug": True}}}},
            "no task writes /etc/nova/nova.cnf, so its options would have no effect; did you mean",
        ),
        ({"openvswitch_datapath": "netdev"}, "needs tunnel_interface and tunnel_address"),
        ({"l2_agent": "linuxbridge"}, "group_data/all.py: l2_agent 'linuxbridge' is not in release epoxy"),
        ({"l2_agent": "ovn"}, "group_data/all.py: l2_agent: "),
        (
            {**clouds.OLDER, "openvswitch_datapath": "netdev"},
            "openvswitch_datapath 'netdev' has no meaning with l2_agent 'linuxbridge': remove it",
        ),
        (
            {"hosts": hosts(compute={"provider_interface": None}), "self_service_networks": False},
            "compute: has no other network and needs provider_interface, the interface without an address",
        ),
        (
            {"hosts": hosts(storage=None), "resources": {"volumes": [{"name": "v", "size": 1}]}},
            "resources: v need volumes, and no host is in group 'storage'",
        ),
        (
            {
                "self_service_networks": False,
                "resources": {"networks": [{"name": "private"}], "routers": [{"name": "router"}]},
            },
            "resources: router, private need self-service networks, and self_service_networks is False",
        ),
        (
            {"hosts": {**clouds.HOSTS, "second": (["controller"], {"ssh_hostname": "192.168.56.21"})}},
            "2 hosts in group 'controller' (controller, second): take an odd number",
        ),
        (
            {"hosts": {**clouds.HOSTS, "second": (["controller"], {"ssh_hostname": "192.168.56.21"})}},
            "2 hosts in group 'controller' (controller, second): they need hosts in group 'loadbalancer'",
        ),
        (
            {"hosts": members(2), **clouds.VIRTUAL},
            "2 hosts in group 'database' (db1, db2): take an odd number: when one half of an even one loses",
        ),
        ({"hosts": members(3)}, "they need hosts in group 'loadbalancer' and virtual_address, which leads"),
        (
            {"hosts": members(3, balancers=False), **clouds.VIRTUAL},
            "3 hosts in group 'database' (db1, db2, db3): they need hosts in group 'loadbalancer'",
        ),
        (
            {"hosts": members(3), "release": "train", "platform": "el", **clouds.VIRTUAL},
            "with release train only one can be deployed; clusters begin with zed",
        ),
        ({"hosts": {}}, "no host in it"),
        (
            {"hosts": {**clouds.HOSTS, "spare": (["all"], {"ssh_hostname": "192.168.56.14"})}},
            "spare: is in no group",
        ),
        ({"hosts": hosts(compute={"ssh_hostname": "compute.org"})}, "compute: address: Field required"),
    ],
)
def test_a_mistake_is_named(tmp_path, keywords, message):
    found = problems(tmp_path, **keywords)
    assert any(message in problem for problem in found), found


def test_all_mistakes_are_named_at_once(tmp_path):
    wrong = hosts(storage={"volume_devices": []}, compute={"ssh_hostname": "10.0.0.1"})
    assert len(problems(tmp_path, hosts=wrong, regoin="x")) == 3


def test_pyinfras_own_data_is_left_alone(tmp_path):
    clouds.cloud(tmp_path, hosts=hosts(compute={"ssh_user": "root", "ssh_port": 2222, "_sudo": True}))


def test_what_deploy_tells_a_task_is_no_setting(tmp_path):
    deploy = (Path(__file__).parents[2] / "deploy.py").read_text()
    told = re.findall(r'data=\{"(\w+)":', deploy)
    assert set(told) == settings.TOLD_NAMES
    clouds.cloud(tmp_path, hosts=hosts(compute=dict.fromkeys(told, True)))


def test_one_host_may_do_everything(tmp_path):
    one = {
        "all-in-one": (
            ["controller", "compute", "storage"],
            {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1", "volume_devices": ["/dev/sdb"]},
        )
    }
    cloud = clouds.cloud(tmp_path, hosts=one)
    packages = cloud.packages("all-in-one")
    assert len(packages) == len(set(packages))
    assert {"keystone", "nova-compute", "cinder-volume", "mariadb-server"} <= set(packages)


def test_a_group_of_its_own_takes_the_work_from_the_controllers(tmp_path):
    more = {**clouds.HOSTS, "db": (["database"], {"ssh_hostname": "192.168.56.20"})}
    cloud = clouds.cloud(tmp_path, hosts=more)
    assert cloud.database_address == "192.168.56.20"
    assert "mariadb-server" in cloud.packages("db")
    assert "mariadb-server" not in cloud.packages("controller")


def test_missing_secrets_name_the_command(tmp_path):
    with pytest.raises(inputs.InputError, match=r"python -m cloud\.secrets"):
        inputs.read(clouds.inventory(), tmp_path / "inventory.py")


def test_a_cloud_needs_no_storage_host(tmp_path):
    cloud = clouds.cloud(tmp_path, hosts(storage=None))
    assert "cinder" not in cloud.services
    assert not cloud.service("cinder").runs_on("controller")
    assert not [package for package in cloud.packages("controller") if "cinder" in package]
    assert "cinder" not in {user.name for user in registration(cloud, "keystone")["known_users"]}
    assert not [
        item for item in cloud.schema_request(cloud.node("controller"))["schemas"] if "cinder" in str(item)
    ]


def test_with_linux_bridges_the_only_interface_may_be_the_providers(tmp_path):
    """As in the original notes: the agent moves its address to the bridge. With Open vSwitch we do."""
    cloud = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, **clouds.OLDER)
    assert cloud.node("compute").settings.provider_interface == "eth0"
    assert not cloud.takes_over(cloud.node("compute"))
    cloud = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, release="zed", self_service_networks=False)
    assert cloud.takes_over(cloud.node("compute"))


def test_only_the_management_interface_of_a_host_with_networks_is_taken_over(tmp_path):
    named = {host: {"interface": "eth0"} for host in clouds.HOSTS}
    cloud = clouds.cloud(tmp_path, hosts(**named))
    assert not [node.name for node in cloud.nodes.values() if cloud.takes_over(node)]
    both = {"interface": "eth1", "provider_interface": "eth1"}
    cloud = clouds.cloud(tmp_path, hosts(compute=both, storage=both))
    assert [node.name for node in cloud.nodes.values() if cloud.takes_over(node)] == ["compute"]


def test_open_vswitch_in_user_space_needs_no_tunnels_without_self_service_networks(tmp_path):
    cloud = clouds.cloud(tmp_path, openvswitch_datapath="netdev", self_service_networks=False)
    assert cloud.node("compute").user_space


SHARED = {"virtual_address": "192.168.56.240"}


@pytest.mark.parametrize(
    ("hosts", "settings", "message"),
    [
        ({}, {}, "group 'loadbalancer' (lb1) needs virtual_address"),
        ({"lb1": None}, SHARED, "no host in group 'loadbalancer' would hold it"),
        ({}, {"virtual_address": "10.0.0.1"}, "is outside management_network 192.168.56.0/24"),
        ({}, {"virtual_address": "192.168.56.255"}, "is the network or broadcast address"),
        ({}, {"virtual_address": "192.168.56.12"}, "virtual_address 192.168.56.12 is compute's own"),
        (
            {"lb1": (["loadbalancer"], {"ssh_hostname": "192.168.56.60"})},
            SHARED,
            "lb1: a load balancer needs interface",
        ),
        (
            {"controller": (["controller", "loadbalancer"], clouds.HOSTS["controller"][1])},
            SHARED,
            "controller: is in the groups 'loadbalancer' and 'controller'",
        ),
        (
            {},
            {**SHARED, "balanced": ["glanze"], "internal_address": "192.168.56.11"},
            "balanced: there is no service 'glanze'; there are keystone, ",
        ),
        (
            {},
            {**SHARED, "balanced": ["glance"]},
            "set internal_address to the controller's",
        ),
        ({}, {**SHARED, "keepalived_router_id": 256}, "keepalived_router_id"),
        ({}, {**SHARED, "keepalived_router_id": 0}, "keepalived_router_id"),
    ],
)
def test_a_mistake_with_load_balancers_is_named(tmp_path, hosts, settings, message):
    there = {**clouds.HOSTS, "lb1": clouds.BALANCERS["lb1"], **hosts}
    there = {name: host for name, host in there.items() if host}
    found = problems(tmp_path, there, **settings)
    assert any(message in problem for problem in found), found


def test_load_balancers_need_secrets_of_their_own(tmp_path):
    path = clouds.write_secrets(tmp_path)
    inputs.read(clouds.inventory(), path)
    balanced = clouds.inventory({**clouds.HOSTS, "lb1": clouds.BALANCERS["lb1"]}, **SHARED)
    with pytest.raises(inputs.InputError) as caught:
        inputs.read(balanced, path)
    assert [problem.rpartition(": ")[2] for problem in caught.value.problems[:2]] == [
        "secret haproxy_stats_password is missing",
        "secret keepalived_password is missing",
    ]


def test_several_database_hosts_are_clusters(tmp_path):
    cloud = clouds.cloud(tmp_path, clouds.CLUSTER_HOSTS, **clouds.VIRTUAL)
    assert cloud.clustered
    assert "galera-4" in cloud.packages("db2")
    assert "galera-4" not in cloud.packages("controller")
    # MariaDB through the load balancers, to one writer; RabbitMQ's and memcached's clients know all of them.
    assert cloud.database_address == "192.168.56.30"
    addresses = [f"192.168.56.{number}" for number in (21, 22, 23)]
    assert cloud.cache_addresses == [f"{address}:11211" for address in addresses]
    login = f"openstack:{cloud.secret('rabbitmq_password')}"
    assert cloud.transport_url == "rabbit://" + ",".join(f"{login}@{a}:5672" for a in addresses) + "/"
    assert not clouds.cloud(tmp_path).clustered


def test_a_cluster_needs_a_secret_of_its_own(tmp_path):
    path = clouds.write_secrets(tmp_path)
    inventory = clouds.inventory(clouds.CLUSTER_HOSTS, **clouds.VIRTUAL)
    with pytest.raises(inputs.InputError, match="secret rabbitmq_erlang_cookie is missing"):
        inputs.read(inventory, path)
