"""Several controllers: what their files say, what the load balancers do with them, and restarts in turn."""

import clouds
import gevent
import pytest
from pyinfra.api import StringCommand

from cloud import render
from cloud.frontends import frontends, told
from cloud.ini import read_wanted
from cloud.verdict import Answers
from cloud.verify import judge
from operations import turns

CONTROLLERS = {
    f"controller{n}": (["controller"], {"ssh_hostname": f"192.168.56.1{n}", "provider_interface": "eth1"})
    for n in (1, 2, 3)
}
OTHERS = {name: host for name, host in clouds.HOSTS.items() if name != "controller"}
OTHERS["compute"] = (["compute"], {"ssh_hostname": "192.168.56.31", "provider_interface": "eth1"})
OTHERS["storage"] = (["storage"], {**clouds.HOSTS["storage"][1], "ssh_hostname": "192.168.56.41"})
HOSTS = {**CONTROLLERS, **OTHERS, **clouds.BALANCERS}
SHARED = {"virtual_address": "192.168.56.240"}


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path, HOSTS, **SHARED)


def test_every_controller_is_told_the_same(cloud):
    found = render.render(clouds.inventory(HOSTS, **SHARED), cloud)
    for path in ("/etc/keystone/keystone.conf", "/etc/placement/placement.conf"):
        assert len({found[name].files[path] for name in CONTROLLERS}) == 1
    neutron = read_wanted(found["controller2"].files["/etc/neutron/neutron.conf"])
    assert neutron["DEFAULT"]["l3_ha"] == "true"
    assert neutron["DEFAULT"]["dhcp_agents_per_network"] == "2"
    assert {"keepalived", "conntrack"} <= set(cloud.packages("controller3"))
    assert "keepalived" not in cloud.packages("compute")
    # The controllers are the database's cluster, too.
    assert cloud.clustered
    assert cloud.cache_addresses == [f"192.168.56.1{n}:11211" for n in (1, 2, 3)]


def test_one_controller_has_nothing_of_it(tmp_path):
    cloud = clouds.cloud(tmp_path)
    found = render.render(clouds.inventory(), cloud)["controller"].files["/etc/neutron/neutron.conf"]
    assert "l3_ha" not in found
    assert "keepalived" not in cloud.packages("controller")
    assert told(cloud, "controller", "nova") == []


def test_a_database_behind_haproxy_is_not_waited_for_without_end(cloud, tmp_path):
    """PyMySQL has no limit of its own, and haproxy 3.0 may leave a client alone that it has accepted."""
    for name in ("keystone", "glance", "placement", "nova", "neutron", "cinder"):
        assert cloud.service(name).connection().endswith("?charset=utf8&read_timeout=60")
    alone = clouds.cloud(tmp_path)
    assert alone.service("keystone").connection().endswith("?charset=utf8")


def test_images_come_from_one_controller_at_a_time(cloud):
    fronts = {front.name: front for front in frontends(cloud)}
    assert fronts["glance-api"].backup and not fronts["glance-api"].sticky
    assert fronts["nova-api"].sticky and not fronts["nova-api"].backup
    lines = clouds.haproxy(cloud, "lb1")
    assert "stick on dst" in lines["glance-api"] and "stick on dst" not in lines["nova-api"]
    assert [line.endswith(" backup") for line in lines["glance-api"] if line.startswith("server ")] == [
        False,
        True,
        True,
    ]


def test_the_load_balancers_tell_of_every_server_that_has_others(cloud):
    wanted = (
        "http-request return status 200 if { path /up/nova-api/nova-api2 } { srv_is_up(nova-api/nova-api2) }"
    )
    statistics = clouds.haproxy(cloud, "lb2")["statistics"]
    assert wanted in statistics
    assert "http-request return status 503 if { path /up/nova-api/nova-api2 }" in statistics
    assert told(cloud, "controller2", "nova", "console") == [
        f"http://192.168.56.6{n}:8404/up/{path}"
        for path in ("nova-api/nova-api2", "console/console2")
        for n in (1, 2)
    ]


def test_any_controller_answers_for_the_cloud(cloud):
    checks = judge(cloud, Answers(asker="controller2", api="broken")).checks
    assert {check.host for check in checks if check.section == "Endpoints"} == {"controller2"}


class Host:
    def __init__(self, name):
        self.name = name


@pytest.fixture
def restart(monkeypatch):
    """A function: restart a service on three hosts at once; returns what happened, in its order."""

    class State:
        is_executing = True

    def restart(breaks=()):
        events = []
        monkeypatch.setattr(turns, "state", State)
        monkeypatch.setattr(turns, "_turns", {})
        current = gevent.local.local()
        monkeypatch.setattr(turns, "host", current)

        def operation():
            with turns.turn("nova") as failed:
                if failed:
                    events.append((current.name, "left", failed))
                    return
                yield StringCommand("restart")

        def run(name):
            current.name = name
            for _ in operation():
                events.append((name, "begins"))
                gevent.sleep(0.01)
                if name in breaks:
                    break
                events.append((name, "ends"))

        gevent.joinall([gevent.spawn(run, name) for name in ("a", "b", "c")], raise_error=True)
        return events

    return restart


def test_one_after_the_other(restart):
    assert restart() == [(name, event) for name in "abc" for event in ("begins", "ends")]


def test_none_once_one_failed(restart):
    assert restart(breaks="b") == [
        ("a", "begins"),
        ("a", "ends"),
        ("b", "begins"),
        ("c", "left", "b"),
    ]


def test_verify_names_the_controller_with_other_keys(cloud):
    def answer(*digests):
        found = {"keys": {str(n): {"sha256": digest} for n, digest in enumerate(digests)}}
        return {"keys": {"fernet": found, "credential": found}}

    hosts = {
        "controller1": answer("a", "b"),
        "controller2": answer("a", "b"),
        "controller3": answer("x", "b"),
    }
    found = [
        check for check in judge(cloud, Answers(hosts=hosts)).checks if "keystone's fernet" in check.check
    ]
    assert [(check.host, check.found, check.ok) for check in found] == [
        ("controller1", "the same", True),
        ("controller2", "the same", True),
        ("controller3", "others", False),
    ]
