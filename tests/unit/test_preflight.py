"""Every reason why a host can't do its work, in the words the operator reads."""

import copy
from dataclasses import replace

import clouds
import pytest

from cloud import inputs
from cloud.preflight import address_problems, modules, network_problems, problems
from facts.preflight import HostState

GOOD = HostState(
    os_id="debian",
    os_version="13",
    init="systemd",
    memory=16000,
    free_disk=40000,
    interfaces={
        "lo": ["127.0.0.1"],
        "eth0": ["192.168.56.11", "192.168.56.12", "192.168.56.13"],
        "eth1": [],
        "eth2": [],
    },
    user="root",
    python=True,
    installed=False,
)


@pytest.fixture
def found(tmp_path):
    """A function: the problems of one of the default hosts, with other data or in another state."""

    def found(host="controller", data=(), settings=(), **state):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts[host][1].update(data)
        cloud = clouds.cloud(tmp_path, hosts, **dict(settings))
        return problems(cloud, cloud.node(host), replace(GOOD, **state))

    return found


@pytest.mark.parametrize("host", clouds.HOSTS)
def test_a_good_host_has_none(found, host):
    assert found(host) == []


@pytest.fixture
def balanced(tmp_path):
    """A cloud behind two load balancers, and the first of them."""
    cloud = clouds.cloud(tmp_path, {**clouds.HOSTS, **clouds.BALANCERS}, virtual_address="192.168.56.240")
    return cloud, cloud.node("lb1")


def test_a_load_balancer_is_not_refused(balanced):
    interfaces = {"lo": ["127.0.0.1"], "eth0": ["192.168.56.61"]}
    assert problems(*balanced, replace(GOOD, interfaces=interfaces)) == []


@pytest.mark.parametrize(
    "found",
    [
        {"holders": [], "groups": []},
        # The other load balancer, which serves while this one is new.
        {
            "holders": [{"mac": "02:00:00:00:00:02", "peer": "192.168.56.62"}],
            "groups": [{"source": "192.168.56.62", "router_id": 68}],
        },
        # Somebody else's, with another number.
        {"holders": [], "groups": [{"source": "192.168.56.2", "router_id": 51}]},
    ],
)
def test_a_shared_address_that_is_free_or_ours(balanced, found):
    assert address_problems(*balanced, found) == []


def test_a_shared_address_that_somebody_has(balanced):
    found = {"holders": [{"mac": "02:00:00:00:00:99", "peer": None}], "groups": []}
    assert address_problems(*balanced, found) == [
        "virtual_address: 192.168.56.240 is in use: 02:00:00:00:00:99 answers for it on eth0, and that is "
        "none of the load balancers; take an address that is free"
    ]


def test_a_vrrp_group_of_somebody_else_with_our_number(balanced):
    found = {"holders": [], "groups": [{"source": "192.168.56.2", "router_id": 68}]}
    assert address_problems(*balanced, found) == [
        "keepalived_router_id: 68 is taken: 192.168.56.2 sends VRRP with it on eth0; take another number "
        "(1 to 255)"
    ]


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"os_id": "ubuntu"}, "the system is ubuntu, the inventory says platform debian"),
        ({"os_id": ""}, "the system is unknown, the inventory says platform debian"),
        ({"os_version": "12"}, "debian 12 does not package release epoxy; debian 13 does"),
        ({"init": "sh"}, "process 1 is 'sh', not systemd: services can't be managed"),
        (
            {"user": "operator"},
            "commands run as operator: log in as root, or set _sudo = True in group_data/all.py",
        ),
        ({"python": False}, "python3 is missing: install it"),
        ({"memory": 3499}, "3499 MiB of memory; a controller host needs 3500 MiB"),
        ({"free_disk": 5999}, "5999 MiB free on /; a controller host needs 6000 MiB"),
        (
            {"interfaces": {"lo": ["127.0.0.1"], "eth0": ["10.0.0.5"], "eth1": []}},
            "no interface has the address 192.168.56.11; interfaces: eth0, eth1",
        ),
        (
            {"interfaces": {"lo": ["127.0.0.1"], "eth0": ["192.168.56.11"]}},
            "provider_interface: there is no interface eth1; interfaces: eth0",
        ),
        (
            {"interfaces": {"eth0": ["192.168.56.11"], "eth1": ["10.0.0.5", "10.0.0.6"]}},
            "provider_interface: eth1 carries 10.0.0.5, 10.0.0.6; give it no address of its own",
        ),
        (
            {"interfaces": {"eth1": ["192.168.56.11"]}},
            "provider_interface: eth1 carries the management address; a bridge would cut the host off, "
            "unless it takes the address over: set interface = 'eth1', too, if that is wanted",
        ),
    ],
)
def test_a_problem_of_the_host(found, state, problem):
    reasons = found(**state)
    assert problem in reasons
    # The address of the management network is the tunnels' too.
    assert all(reason.startswith("tunnel_address") for reason in reasons if reason != problem)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"interface": "eth2"}, "interface: 192.168.56.11 is on eth0, not on eth2"),
        ({"interface": "eth7"}, "interface: there is no interface eth7; interfaces: eth0, eth1, eth2"),
        (
            {"tunnel_interface": "tun0", "tunnel_address": "192.168.56.11"},
            "tunnel_interface: there is no interface tun0; interfaces: eth0, eth1, eth2",
        ),
        ({"tunnel_address": "10.0.0.11"}, "tunnel_address: no interface has 10.0.0.11"),
    ],
)
def test_a_setting_that_does_not_fit_the_host(found, data, problem):
    assert problem in found(data=data)


def test_in_user_space_the_deploy_itself_gives_the_tunnel_its_address(tmp_path):
    netdev = {"openvswitch_datapath": "netdev"}
    hosts = copy.deepcopy(clouds.HOSTS)
    for number, name in enumerate(("controller", "compute")):
        hosts[name][1].update(tunnel_interface="eth2", tunnel_address=f"10.0.0.{number + 1}")
    cloud = clouds.cloud(tmp_path, hosts, **netdev)
    assert problems(cloud, cloud.node("controller"), GOOD) == []


@pytest.mark.parametrize(("host", "memory"), [("compute", 900), ("storage", 900)])
def test_the_least_memory(found, host, memory):
    assert found(host, memory=memory) == []
    assert found(host, memory=memory - 1) == [f"{memory - 1} MiB of memory; a {host} host needs {memory} MiB"]


@pytest.mark.parametrize(("host", "disk"), [("compute", 3000), ("storage", 1500)])
def test_the_least_room_on_the_root_file_system(found, host, disk):
    assert found(host, free_disk=disk) == []
    assert found(host, free_disk=disk - 1) == [f"{disk - 1} MiB free on /; a {host} host needs {disk} MiB"]


def test_packages_that_are_installed_need_no_room(found):
    assert found(free_disk=100, installed=True) == []


def test_a_point_release_is_that_release(found):
    assert found(os_version="13.2") == []


def test_all_problems_are_told_at_once(found):
    assert len(found(user="operator", python=False, memory=1, free_disk=1)) == 4


@pytest.fixture
def older(tmp_path):
    """A function: the problems of a host whose only interface is the provider network's, too."""

    def found(settings=(), **state):
        cloud = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, **{**clouds.OLDER, **dict(settings)})
        addresses = {"eth0": ["192.168.56.11"]}
        good = replace(GOOD, os_version="12", interfaces=addresses)
        return problems(cloud, cloud.node("controller"), replace(good, **state))

    return found


def test_with_linux_bridges_the_provider_interface_may_carry_the_address(older):
    assert older() == []


def test_the_agent_may_have_moved_the_address_to_its_bridge(older):
    moved = {"eth0": [], "brq0e7c2f4e-6f": ["192.168.56.11"]}
    assert older(interfaces=moved) == []
    # Self-service networks have their tunnels there.
    assert older({"self_service_networks": True}, interfaces=moved) == []


def test_nobody_else_may_have(older):
    assert older(interfaces={"eth0": [], "eth1": ["192.168.56.11"]}) == [
        "interface: 192.168.56.11 is on eth1, not on eth0"
    ]


def test_zed_needs_debian_12(older):
    assert older(os_version="13") == ["debian 13 does not package release zed; debian 12 does"]


@pytest.fixture
def el(tmp_path):
    """A function: the problems of one of the default hosts as an EL one."""

    def el(release, host="controller", data=(), **state):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts[host][1].update(data)
        cloud = clouds.cloud(tmp_path, hosts, platform="el", release=release)
        return problems(cloud, cloud.node(host), replace(GOOD, **state))

    return el


@pytest.mark.parametrize("system", ["centos", "rhel", "rocky", "almalinux"])
@pytest.mark.parametrize("release", ["zed", "caracal", "epoxy"])
def test_a_good_el_9_host_has_none(el, release, system):
    assert el(release, os_id=system, os_version="9.4") == []


@pytest.mark.parametrize(
    ("release", "system", "version", "problem"),
    [
        ("caracal", "centos", "7", "centos 7 does not package release caracal; el 9 does"),
        ("epoxy", "rocky", "10.0", "rocky 10.0 does not package release epoxy; el 9 does"),
        ("train", "centos", "9", "centos 9 does not package release train; el 7 does"),
        ("train", "rocky", "9.4", "the system is rocky, the inventory says platform el"),
        ("zed", "debian", "12", "the system is debian, the inventory says platform el"),
    ],
)
def test_an_el_host_of_the_wrong_version(el, release, system, version, problem):
    assert el(release, os_id=system, os_version=version) == [problem]


def test_el_7_needs_libraries_that_nobody_packages(el):
    centos = {"os_id": "centos", "os_version": "7"}
    assert el("train", **centos) == []
    assert el("train", missing=("openstack", "pymysql"), **centos) == [
        "python3 lacks openstacksdk and PyMySQL, which el 7 does not package: install what is missing, or "
        "name another interpreter by the setting 'python'"
    ]
    own = {"python": "/opt/deploy/bin/python"}
    assert el("train", data=own, missing=("pymysql",), **centos) == [
        "/opt/deploy/bin/python lacks PyMySQL, which el 7 does not package: install what is missing, or name "
        "another interpreter by the setting 'python'"
    ]


def test_the_interpreter_that_is_named_must_be_there(el):
    data = {"python": "/opt/deploy/bin/python"}
    # Nothing can be said of its libraries.
    assert el("caracal", data=data, os_id="rocky", os_version="9", python=False, missing=("openstack",)) == [
        "/opt/deploy/bin/python is missing: install it"
    ]


def test_libraries_are_looked_for_where_no_package_brings_them(tmp_path):
    seven = clouds.cloud(tmp_path, platform="el", release="ocata")
    assert modules(seven.node("controller")) == ["openstack", "pymysql"]
    assert modules(seven.node("compute")) == []
    for settings in ({"platform": "el", "release": "zed"}, {"release": "epoxy"}):
        assert modules(clouds.cloud(tmp_path, **settings).node("controller")) == []


def test_where_the_bridge_takes_the_address_over_either_may_have_it(found):
    both = {"interface": "eth0", "provider_interface": "eth0"}
    assert found(data=both) == []
    moved = {"eth0": [], "br-provider": GOOD.interfaces["eth0"]}
    assert found(data=both, interfaces=moved) == []
    # Where it is not to take it over, it has no right to it.
    assert "interface: 192.168.56.11 is on br-provider, not on eth0" in found(
        data={"interface": "eth0"}, interfaces={**moved, "eth1": []}
    )


def test_other_addresses_of_an_interface_that_is_taken_over_move_as_well(found):
    both = {"interface": "eth0", "provider_interface": "eth0"}
    assert found(data=both, interfaces={"eth0": ["192.168.56.11", "10.9.9.9"]}) == []


OFF = {"active": False, "enabled": False}
RUNS = {"active": True, "enabled": True}
SERVICES = {
    "NetworkManager": OFF,
    "firewalld": OFF,
    "network": OFF,
    "networking": OFF,
    "systemd-networkd": OFF,
}


@pytest.fixture
def network(tmp_path):
    """A function: what would leave the controller without its network."""

    def network(data=(), port=None, **services):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts["controller"][1].update(data)
        cloud = clouds.cloud(tmp_path, hosts)
        found = {**SERVICES, **{name.replace("_", "-"): state for name, state in services.items()}}
        return network_problems(cloud, cloud.node("controller"), found, port)

    return network


@pytest.mark.parametrize("manager", [RUNS, {**OFF, "enabled": True}, {**OFF, "active": True}])
def test_without_networkmanager_another_service_must_bring_the_interfaces_up(network, manager):
    assert network({"network_manager": "off"}, NetworkManager=manager) == [
        "network_manager: 'off' would leave the host without a network after its next boot: none of network, "
        "networking, systemd-networkd is enabled to bring the interfaces up; enable one that knows them, or "
        "set it to 'on'"
    ]
    for other in ("network", "networking", "systemd_networkd"):
        # Active now is not enough.
        assert network({"network_manager": "off"}, NetworkManager=manager, **{other: {**OFF, "active": True}})
        assert not network({"network_manager": "off"}, NetworkManager=manager, **{other: RUNS})


def test_a_firewall_that_runs_wants_a_choice(network):
    """As on a new CentOS: without one the run would wait for services that nobody can reach."""
    assert network({}, firewalld=RUNS) == [
        "firewall: firewalld runs and would refuse what the host's roles need: set it to 'on' (their ports "
        "are opened) or 'off'"
    ]
    assert network({"firewall": "on"}, firewalld=RUNS) == network({"firewall": "off"}, firewalld=RUNS) == []
    assert network({}, firewalld={**OFF, "enabled": True}) == []


def test_a_host_without_networkmanager_may_have_it_off(network):
    assert network({"network_manager": "off"}) == []
    assert network({}, NetworkManager=RUNS) == []


TAKEN_OVER = {"interface": "eth0", "provider_interface": "eth0"}


def test_networkmanager_would_give_the_address_back(network):
    assert network(TAKEN_OVER) == []
    assert network({**TAKEN_OVER, "network_manager": "on"}, NetworkManager=RUNS) == []
    assert network({**TAKEN_OVER, "network_manager": "off"}, NetworkManager=RUNS, network=RUNS) == []
    assert network(TAKEN_OVER, NetworkManager=RUNS) == [
        "provider_interface: eth0 has the host's address, and br-provider is to take it over, but "
        "NetworkManager would give it back: set network_manager = 'on' (it then leaves both alone) or 'off'"
    ]


def test_what_can_not_be_moved_to_a_bridge(network):
    port = {"dynamic": ["192.168.56.11/24"], "ipv6": ["2001:db8::11/64"]}
    assert network(TAKEN_OVER, port) == [
        "provider_interface: eth0 has 192.168.56.11/24 by DHCP, which nobody would renew on br-provider: "
        "give it a static address",
        "provider_interface: eth0 has the static address 2001:db8::11/64, and only IPv4 moves to "
        "br-provider: remove it",
    ]


def test_haproxy_must_have_the_public_address(tmp_path):
    settings = {"tls": "public", "public_address": "203.0.113.11"}
    cloud = inputs.read(clouds.inventory(**settings), clouds.write_secrets(tmp_path), certified=False)
    (line,) = problems(cloud, cloud.node("controller"), GOOD)
    assert "haproxy is to listen at 203.0.113.11, and no interface has that address" in line
    there = replace(GOOD, interfaces={**GOOD.interfaces, "eth3": ["203.0.113.11"]})
    assert problems(cloud, cloud.node("controller"), there) == []
