"""What SELinux and NetworkManager must allow."""

import clouds
import pytest

from cloud import protection


@pytest.fixture
def one_interface(tmp_path):
    """The default cloud, where the bridge takes over the address."""
    hosts = {name: (groups, {**data, "interface": "eth1"}) for name, (groups, data) in clouds.HOSTS.items()}
    return clouds.cloud(tmp_path, hosts)


def test_the_booleans_of_each_role(tmp_path):
    cloud = clouds.cloud(tmp_path)
    assert protection.booleans(cloud, cloud.node("controller")) == [
        "httpd_can_network_connect",
        "httpd_use_openstack",
        "glance_api_can_network",
        "neutron_can_network",
    ]
    assert protection.booleans(cloud, cloud.node("compute")) == ["neutron_can_network"]
    assert protection.booleans(cloud, cloud.node("storage")) == []


def test_the_load_balancing_agent_runs_haproxy(tmp_path):
    data = {"release": "ocata", "platform": "el", "l2_agent": "linuxbridge", "lbaas": True}
    cloud = clouds.cloud(tmp_path, **data)
    assert "haproxy_connect_any" in protection.booleans(cloud, cloud.node("controller"))
    assert "haproxy_connect_any" not in protection.booleans(cloud, cloud.node("compute"))


def test_interfaces_that_networkmanager_leaves_alone(tmp_path):
    cloud = clouds.cloud(tmp_path)
    names = protection.unmanaged(cloud, cloud.node("compute"))
    assert {"eth1", "br-provider", "br-int", "br-tun", "tap*"} <= set(names)
    assert not {"eth0", "br-tunnel"} & set(names)
    assert protection.unmanaged(cloud, cloud.node("storage")) == []


def test_tunnels_in_user_space_have_a_bridge(tmp_path):
    data = {
        "controller": {"tunnel_interface": "eth2", "tunnel_address": "10.0.0.1"},
        "compute": {"tunnel_interface": "eth2", "tunnel_address": "10.0.0.2"},
    }
    hosts = {name: (groups, {**own, **data.get(name, {})}) for name, (groups, own) in clouds.HOSTS.items()}
    cloud = clouds.cloud(tmp_path, hosts, openvswitch_datapath="netdev")
    assert {"eth2", "br-tunnel"} <= set(protection.unmanaged(cloud, cloud.node("compute")))


def test_the_interface_that_keeps_the_address_keeps_its_manager(tmp_path, one_interface):
    assert {"eth1", "br-provider"} <= set(protection.unmanaged(one_interface, one_interface.node("compute")))
    # The Linux bridge agent moves the address later, and maybe back.
    older = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, **clouds.OLDER)
    assert not {"eth0", "br-provider"} & set(protection.unmanaged(older, older.node("compute")))
