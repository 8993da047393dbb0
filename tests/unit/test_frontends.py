"""What the load balancers take in, and how they ask whether a server serves."""

import clouds
import pytest

from cloud.frontends import frontends, kernel_settings
from cloud.render import Recorder

DATABASE = {"db": (["database"], {"ssh_hostname": "192.168.56.40"})}


@pytest.fixture
def make(tmp_path):
    """A function: the default hosts, two load balancers and a database host."""

    def make(**settings):
        hosts = {**clouds.HOSTS, **clouds.BALANCERS, **DATABASE}
        return clouds.cloud(tmp_path, hosts, virtual_address="192.168.56.240", **settings)

    return make


def test_every_port_and_how_its_server_is_asked(make):
    found = {front.port: (front.name, front.check, front.servers[0][1]) for front in frontends(make())}
    database, controller = "192.168.56.40", "192.168.56.11"
    assert found == {
        3306: ("openstack_mysql", "mysql", database),
        5672: ("openstack_rabbit", "rabbitmq", database),
        11211: ("openstack_memcached", "memcached", database),
        5000: ("keystone-api", "/healthcheck", controller),
        9292: ("glance-api", "/healthcheck", controller),
        8778: ("placement-api", "/", controller),
        8774: ("nova-api", "/", controller),
        8775: ("nova-metadata", "/healthcheck", controller),
        6080: ("console", "/vnc.html", controller),
        9696: ("neutron-api", "/healthcheck", controller),
        8776: ("cinder-api", "/healthcheck", controller),
        80: ("horizon", "/", controller),
    }


def test_only_what_is_named_is_handed_on(make):
    cloud = make(balanced=["nova", "horizon"], internal_address="192.168.56.11")
    assert [front.port for front in frontends(cloud)] == [3306, 5672, 11211, 8774, 8775, 6080, 80]
    assert cloud.service("glance").url() == "http://192.168.56.11:9292"


def test_a_connection_may_be_silent_for_longer_than_a_pool_keeps_it(make):
    idle = {front.name: front.idle for front in frontends(make())}
    assert idle["openstack_mysql"] * 60 > 3600
    assert idle["console"] == 60
    assert idle["nova-api"] == 0


def test_only_a_load_balancer_listens_at_an_address_it_does_not_have(make):
    cloud = make()
    assert kernel_settings(cloud, "lb1")["net.ipv4.ip_nonlocal_bind"] == "1"
    assert "net.ipv4.ip_nonlocal_bind" not in kernel_settings(cloud, "compute")
    # But every host must find out that a load balancer has lost its power: within 30 seconds.
    found = kernel_settings(cloud, "compute")
    time, interval, probes = (
        int(found[f"net.ipv4.tcp_keepalive_{name}"]) for name in ("time", "intvl", "probes")
    )
    assert time + interval * probes == 30


def test_without_load_balancers_the_kernel_is_left_alone(tmp_path):
    assert kernel_settings(clouds.cloud(tmp_path), "controller") == {}


def keepalived(cloud, host):
    """keepalived.conf's lines as the task writes them."""
    from cloud import render

    inventory = clouds.inventory({name: (list(node.roles), {}) for name, node in cloud.nodes.items()})
    recorder: Recorder = render.render(inventory, cloud)[host]
    return [line.strip() for line in recorder.files["/etc/keepalived/keepalived.conf"].splitlines()]


def test_the_first_comes_first_and_knows_the_other(make):
    cloud = make(keepalived_router_id=7)
    first, second = keepalived(cloud, "lb1"), keepalived(cloud, "lb2")
    assert "priority 100" in first and "priority 99" in second
    assert first[first.index("unicast_peer {") + 1] == "192.168.56.62"
    assert second[second.index("unicast_peer {") + 1] == "192.168.56.61"
    for lines in (first, second):
        assert {"virtual_router_id 7", "nopreempt", "state BACKUP", "192.168.56.240", "advert_int 1"} <= set(
            lines
        )
        # VRRP knows no more of it, and keepalived would complain.
        assert f"auth_pass {cloud.secret('keepalived_password')[:8]}" in lines


def test_multicast_names_nobody(make):
    assert not [line for line in keepalived(make(keepalived_unicast=False), "lb1") if "unicast" in line]


def test_who_has_no_server_yet_is_not_kept_waiting(make):
    """A tunnel's timeout begins with its server: without one nobody waits for as long as a pool is silent."""
    cloud = make()
    text = clouds.haproxy_text(cloud, "lb1").partition("\ndefaults\n")[2]
    defaults = [line.strip() for line in text.partition("\nlisten ")[0].splitlines()]
    assert {"timeout client 30s", "timeout server 30s", "timeout tunnel 10m"} <= set(defaults)
    # Without it each call waits for TCP's own tests: 33 of 155 calls were lost with a controller's power.
    assert "default-server fastinter 1s downinter 1s on-marked-down shutdown-sessions" in defaults
    mysql = clouds.haproxy(cloud, "lb1")["openstack_mysql"]
    assert "timeout tunnel 90m" in mysql
    assert not [line for line in mysql if line.startswith(("timeout client", "timeout server"))]
