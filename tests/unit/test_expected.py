"""What a healthy cloud must report, from the inventory."""

import clouds
import pytest

from cloud import expected

DATA = {"provider_interface": "eth1"}


@pytest.fixture
def cloud(tmp_path):
    """A database and a network host of their own, and two compute hosts, one of which also stores volumes."""
    hosts = {
        "ctl": (["controller"], {"ssh_hostname": "192.168.56.11"}),
        "db": (["database"], {"ssh_hostname": "192.168.56.21"}),
        "net": (["network"], {"ssh_hostname": "192.168.56.31", **DATA}),
        "cmp1": (["compute"], {"ssh_hostname": "192.168.56.41"}),
        "cmp2": (["compute", "storage"], {"ssh_hostname": "192.168.56.42", "volume_devices": ["/dev/sdb"]}),
    }
    return clouds.cloud(tmp_path, hosts)


def test_nova(cloud):
    assert expected.nova_services(cloud) == [
        ("ctl", "nova-conductor"),
        ("ctl", "nova-scheduler"),
        ("cmp1", "nova-compute"),
        ("cmp2", "nova-compute"),
    ]
    assert expected.hypervisors(cloud) == ["cmp1", "cmp2"]


def test_neutron(cloud):
    assert expected.neutron_agents(cloud) == [
        ("net", "Open vSwitch agent"),
        ("net", "DHCP agent"),
        ("net", "L3 agent"),
        ("net", "Metadata agent"),
        ("cmp1", "Open vSwitch agent"),
        ("cmp2", "Open vSwitch agent"),
    ]


def test_cinder(cloud):
    assert expected.cinder_services(cloud) == [("ctl", "cinder-scheduler"), ("cmp2@lvm", "cinder-volume")]


def test_ports(cloud):
    ports = {(port.host, port.address, port.port) for port in expected.ports(cloud)}
    assert ports == {
        *(("db", "192.168.56.21", port) for port in (3306, 5672, 11211)),
        *(("ctl", "192.168.56.11", port) for port in (5000, 9292, 8778, 8774, 9696, 8776, 8775, 6080, 80)),
    }


def test_units(cloud):
    assert expected.units(cloud, "db") == ["chrony", "mariadb", "rabbitmq-server", "memcached"]
    assert expected.units(cloud, "net") == [
        "chrony",
        "openvswitch-switch",
        "neutron-openvswitch-agent",
        "neutron-dhcp-agent",
        "neutron-l3-agent",
        "neutron-metadata-agent",
        "openstack-bridges",
    ]
    assert expected.units(cloud, "cmp2") == [
        "chrony",
        "libvirtd",
        "openvswitch-switch",
        "nova-compute",
        "neutron-openvswitch-agent",
        "rtslib-fb-targetctl",
        "cinder-volume",
    ]
    assert not {"mariadb", "neutron-l3-agent", "openvswitch-switch"} & set(expected.units(cloud, "ctl"))


def test_a_cloud_on_one_host_expects_nothing_twice(tmp_path):
    roles = ["controller", "compute", "storage"]
    one = {"one": (roles, {"ssh_hostname": "192.168.56.11", "volume_devices": ["/dev/sdb"], **DATA})}
    cloud = clouds.cloud(tmp_path, one)
    for wanted in (
        expected.nova_services(cloud),
        expected.neutron_agents(cloud),
        expected.cinder_services(cloud),
        expected.ports(cloud),
        expected.units(cloud, "one"),
    ):
        assert wanted
        assert len(set(wanted)) == len(wanted)


def test_linux_bridges_provider_networks_only_and_no_storage_host(tmp_path):
    cloud = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, **clouds.OLDER)
    assert expected.neutron_agents(cloud) == [
        ("controller", "Linux bridge agent"),
        ("controller", "DHCP agent"),
        ("controller", "Metadata agent"),
        ("compute", "Linux bridge agent"),
    ]
    assert expected.cinder_services(cloud) == expected.volume_backends(cloud) == []
    assert 8776 not in {port.port for port in expected.ports(cloud)}
    units = expected.units(cloud, "controller")
    assert {"neutron-linuxbridge-agent", "neutron-dhcp-agent", "openstack-bridges"} <= set(units)
    absent = {"openvswitch-switch", "neutron-openvswitch-agent", "neutron-l3-agent", "cinder-api"}
    assert not absent & set(units)
    assert expected.units(cloud, "compute") == [
        "chrony", "libvirtd", "nova-compute", "neutron-linuxbridge-agent", "openstack-bridges"
    ]  # fmt: skip


def test_linux_bridges_with_routers(tmp_path):
    cloud = clouds.cloud(tmp_path, release="zed", l2_agent="linuxbridge")
    assert ("controller", "L3 agent") in expected.neutron_agents(cloud)
    assert "neutron-l3-agent" in expected.units(cloud, "controller")


def test_a_unit_that_no_platform_has_is_an_error_and_not_left_out(tmp_path):
    with pytest.raises(KeyError, match="no platform has a unit for nova/schedulre"):
        clouds.cloud(tmp_path).units("controller", "nova/schedulre")


def test_el_has_sockets_for_libvirt_and_one_unit_for_what_debian_has_two_of(tmp_path):
    cloud = clouds.cloud(tmp_path, platform="el", release="epoxy")
    assert expected.units(cloud, "compute") == [
        "chronyd", "virtqemud.socket", "virtnodedevd.socket", "virtsecretd.socket", "virtstoraged.socket",
        "virtproxyd.socket", "virtlogd.socket", "openvswitch", "openstack-nova-compute",
        "neutron-openvswitch-agent", "openstack-bridges",
    ]  # fmt: skip
    units = expected.units(cloud, "controller")
    assert {"httpd", "openstack-nova-api", "neutron-server"} <= set(units)
    assert not {"openstack-nova-metadata-api", "neutron-rpc-server", "keystone"} & set(units)
    # The metadata is served all the same: by openstack-nova-api.
    assert ("controller", 8775) in {(port.host, port.port) for port in expected.ports(cloud)}


def test_horizon_is_where_the_platform_has_it(tmp_path):
    assert clouds.cloud(tmp_path).horizon_url == "http://192.168.56.11/"
    for release in ("train", "epoxy"):
        cloud = clouds.cloud(tmp_path, platform="el", release=release)
        assert cloud.horizon_url == "http://192.168.56.11/dashboard/"


def test_liberty_has_two_more_of_novas_services(tmp_path):
    older = clouds.OLDER | {"platform": "el", "release": "liberty"}
    cloud = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, **older)
    assert [name for host, name in expected.nova_services(cloud) if host == "controller"] == [
        "nova-conductor", "nova-scheduler", "nova-cert", "nova-consoleauth"
    ]  # fmt: skip
