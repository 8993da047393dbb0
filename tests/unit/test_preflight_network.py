"""What a host's interfaces are against what the inventory says, and who configures them."""

import copy
from dataclasses import replace

import clouds
import pytest
from states import GOOD, problems, row

from cloud import inputs
from cloud.preflight_network import interface_lines, service_lines, shared_address_lines


@pytest.fixture
def lines(tmp_path):
    """A function: the lines of one of the default hosts, with other data or in another state."""

    def lines(host="controller", data=(), settings=(), **state):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts[host][1].update(data)
        cloud = clouds.cloud(tmp_path, hosts, **dict(settings))
        return interface_lines(cloud, cloud.node(host), replace(GOOD, **state))

    return lines


@pytest.fixture
def found(lines):
    """A function: the problems."""
    return lambda *arguments, **keywords: problems(lines(*arguments, **keywords))


def test_a_good_host(lines):
    assert [(line.check, line.wanted, line.found, line.verdict) for line in lines()] == [
        ("interfaces", "2", "3: eth0 up, eth1 up, eth2 up", "ok"),
        ("address", "192.168.56.11, static", "on eth0, static", "ok"),
        ("provider_interface", "eth1, up, without an address", "eth1, up", "ok"),
        ("tunnel_address", "192.168.56.11", "on eth0", "ok"),
    ]
    assert [line.check for line in lines("storage")] == ["interfaces", "address"]


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (
            {"interfaces": {"lo": ["127.0.0.1"], "eth0": ["10.0.0.5"], "eth1": []}},
            "address: no interface has 192.168.56.11; interfaces: eth0, eth1; correct address, or give it to "
            "one",
        ),
        (
            {"interfaces": {"lo": ["127.0.0.1"], "eth0": ["192.168.56.11"]}},
            "provider_interface: there is no interface eth1; interfaces: eth0; correct provider_interface, "
            "or attach eth1",
        ),
        (
            {"interfaces": {"eth0": ["192.168.56.11"], "eth1": ["10.0.0.5", "10.0.0.6"]}},
            "provider_interface: eth1 carries 10.0.0.5, 10.0.0.6; give it no address of its own",
        ),
        (
            {"interfaces": {"eth1": ["192.168.56.11"]}},
            "provider_interface: eth1 carries the management address; a bridge would cut the host off; set "
            "interface = 'eth1', too, if the bridge shall take the address over",
        ),
    ],
)  # fmt: skip
def test_what_refuses_a_host(found, state, problem):
    reasons = found(**state)
    assert problem in reasons
    # The address of the management network is the tunnels' too.
    assert all(reason.startswith("tunnel_address") for reason in reasons if reason != problem)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            {"interface": "eth2"},
            "interface: 192.168.56.11 is on eth0, not on eth2; correct interface or address",
        ),
        (
            {"interface": "eth7"},
            "interface: 192.168.56.11 is on eth0, not on eth7, which is not there; interfaces: eth0, eth1, "
            "eth2; correct interface or address",
        ),
        (
            {"tunnel_interface": "tun0", "tunnel_address": "192.168.56.11"},
            "tunnel_interface: there is no interface tun0; interfaces: eth0, eth1, eth2; correct "
            "tunnel_interface, or attach tun0",
        ),
        (
            {"tunnel_address": "10.0.0.11"},
            "tunnel_address: no interface has 10.0.0.11; give it to one, or correct tunnel_address",
        ),
        (
            {"tunnel_interface": "eth0"},
            "tunnel_interface: eth0 carries the management address; a bridge would cut the host off; name "
            "another interface",
        ),
    ],
)
def test_a_setting_that_does_not_fit_the_host(found, data, problem):
    assert found(data=data) == [problem]


def test_neither_the_address_nor_its_interface(found):
    other = {"lo": ["127.0.0.1"], "eth0": ["10.0.0.5"], "eth1": []}
    assert found("storage", {"interface": "eth7"}, interfaces=other) == [
        "address: no interface has 192.168.56.13; interfaces: eth0, eth1; correct address, or give it to one",
        "interface: there is no interface eth7; interfaces: eth0, eth1; correct interface, or attach eth7",
    ]


def test_how_many_interfaces(lines):
    three = {"tunnel_interface": "eth2"}
    assert row(lines(data=three), "interfaces")[0] == "3"
    assert row(lines(data={"required": {"interfaces": 3}}), "interfaces")[::2] == ("3", "ok")
    assert row(lines(data={"required": {"interfaces": 4}}), "interfaces") == (
        "4", "3: eth0 up, eth1 up, eth2 up", "refused",
        "required.interfaces is 4: attach what is missing, or ask for less",
    )  # fmt: skip
    # A bridge or a bond of the operator's own.
    assert row(lines(cards=()), "interfaces")[1:3] == ("none that is known as hardware", "ok")


def test_one_interface_for_everything_works(lines, older):
    both = {"interface": "eth0", "provider_interface": "eth0"}
    assert row(lines(data=both, cards=("eth0",)), "interfaces") == (
        "2, or 1 for both", "1: eth0 up", "warning",
        "it works: br-provider takes the host's address over",
    )  # fmt: skip
    assert row(lines(data=both), "interfaces")[2] == "ok"
    (line,) = (line for line in older(cards=("eth0",)) if line.check == "interfaces")
    assert (line.verdict, line.cure.partition(" takes")[0]) == ("warning", "it works: neutron's bridge")


@pytest.mark.parametrize(
    ("link", "verdict", "cure"),
    [
        ("no carrier", "warning", "plug its cable in, or name another one"),
        ("down", "will be set", "the deploy brings it up"),
    ],
)
def test_the_link_of_the_provider_interface(lines, link, verdict, cure):
    links = {**GOOD.links, "eth1": link}
    assert row(lines(links=links), "provider_interface") == (
        "eth1, up, without an address", f"eth1, {link}", verdict, cure,
    )  # fmt: skip


def test_the_deploy_brings_a_tunnel_interface_up_in_user_space_only(lines):
    data, links = {"tunnel_interface": "eth2"}, {**GOOD.links, "eth2": "down"}
    assert row(lines(data=data, links=links), "tunnel_interface")[2:] == ("warning", "bring it up")


def test_an_address_by_dhcp(lines):
    leased = {"eth0": ["192.168.56.11/24"]}
    assert row(lines(leased=leased), "address") == (
        "192.168.56.11, static", "on eth0, by DHCP", "warning",
        "all of the cloud's files name it: have the DHCP server reserve it, or make it static",
    )  # fmt: skip
    # Another address of it, and another interface.
    assert row(lines(leased={"eth0": ["192.168.56.9/24"], "eth2": ["10.0.0.1/8"]}), "address")[2] == "ok"


def test_in_user_space_the_deploy_itself_gives_the_tunnel_its_address(tmp_path):
    netdev = {"openvswitch_datapath": "netdev"}
    hosts = copy.deepcopy(clouds.HOSTS)
    for number, name in enumerate(("controller", "compute")):
        hosts[name][1].update(tunnel_interface="eth2", tunnel_address=f"10.0.0.{number + 1}")
    cloud = clouds.cloud(tmp_path, hosts, **netdev)
    down = replace(GOOD, links={**GOOD.links, "eth2": "down"})
    found = interface_lines(cloud, cloud.node("controller"), down)
    assert problems(found) == []
    assert row(found, "tunnel_interface")[2:] == ("will be set", "the deploy brings it up")


def test_a_load_balancer_is_not_refused(balanced):
    interfaces = {"lo": ["127.0.0.1"], "eth0": ["192.168.56.61"]}
    assert problems(interface_lines(*balanced, replace(GOOD, interfaces=interfaces))) == []


@pytest.fixture
def older(tmp_path):
    """A function: the lines of a host whose only interface is the provider network's, too."""

    def lines(settings=(), **state):
        cloud = clouds.cloud(tmp_path, clouds.OLDER_HOSTS, **{**clouds.OLDER, **dict(settings)})
        good = replace(GOOD, interfaces={"eth0": ["192.168.56.11"]})
        return interface_lines(cloud, cloud.node("controller"), replace(good, **state))

    return lines


def test_with_linux_bridges_the_provider_interface_may_carry_the_address(older):
    assert problems(older()) == []


def test_the_agent_may_have_moved_the_address_to_its_bridge(older):
    moved = {"eth0": [], "brq0e7c2f4e-6f": ["192.168.56.11"]}
    assert problems(older(interfaces=moved)) == []
    # Self-service networks have their tunnels there.
    assert problems(older({"self_service_networks": True}, interfaces=moved)) == []


def test_nobody_else_may_have(older):
    assert problems(older(interfaces={"eth0": [], "eth1": ["192.168.56.11"]})) == [
        "interface: 192.168.56.11 is on eth1, not on eth0; correct interface or address"
    ]


def test_where_the_bridge_takes_the_address_over_either_may_have_it(found):
    both = {"interface": "eth0", "provider_interface": "eth0"}
    assert found(data=both) == []
    moved = {"eth0": [], "br-provider": GOOD.interfaces["eth0"]}
    assert found(data=both, interfaces=moved) == []
    # Where it is not to take it over, it has no right to it.
    assert any(
        "192.168.56.11 is on br-provider, not on eth0" in problem
        for problem in found(data={"interface": "eth0"}, interfaces={**moved, "eth1": []})
    )


def test_other_addresses_of_an_interface_that_is_taken_over_move_as_well(found):
    both = {"interface": "eth0", "provider_interface": "eth0"}
    assert found(data=both, interfaces={"eth0": ["192.168.56.11", "10.9.9.9"]}) == []


def test_haproxy_must_have_the_public_address(tmp_path):
    settings = {"tls": "public", "public_address": "203.0.113.11"}
    cloud = inputs.read(clouds.inventory(**settings), clouds.write_secrets(tmp_path), certified=False)
    (problem,) = problems(interface_lines(cloud, cloud.node("controller"), GOOD))
    assert "haproxy is to listen at 203.0.113.11, and no interface has that address" in problem
    there = replace(GOOD, interfaces={**GOOD.interfaces, "eth3": ["203.0.113.11"]})
    assert row(interface_lines(cloud, cloud.node("controller"), there), "tls")[1:3] == ("on eth3", "ok")


# Who configures it.

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
def services(tmp_path):
    """A function: the lines about the services of the controller's network."""

    def services(data=(), state=GOOD, **services):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts["controller"][1].update(data)
        cloud = clouds.cloud(tmp_path, hosts)
        found = {**SERVICES, **{name.replace("_", "-"): state for name, state in services.items()}}
        return service_lines(cloud, cloud.node("controller"), state, found)

    return services


@pytest.mark.parametrize("manager", [RUNS, {**OFF, "enabled": True}, {**OFF, "active": True}])
def test_without_networkmanager_another_service_must_bring_the_interfaces_up(services, manager):
    off = {"network_manager": "off"}
    assert problems(services(off, NetworkManager=manager)) == [
        "network_manager: 'off' would leave the host without a network after its next boot: none of network, "
        "networking, systemd-networkd is enabled to bring the interfaces up; enable one that knows them, or "
        "set it to 'on'"
    ]
    for other in ("network", "networking", "systemd_networkd"):
        # Active now is not enough.
        assert problems(services(off, NetworkManager=manager, **{other: {**OFF, "active": True}}))
        line = row(services(off, NetworkManager=manager, **{other: RUNS}), "network_manager")
        assert line[2:] == ("will be set", "the deploy stops it")


@pytest.mark.parametrize(
    ("chosen", "manager", "line"),
    [
        (None, OFF, ("left as it is", "does not run", "ok", "")),
        (None, RUNS, ("left as it is", "runs", "ok", "")),
        ("off", OFF, ("off", "does not run", "ok", "")),
        ("on", RUNS, ("on", "runs", "ok", "")),
        ("on", OFF, ("on", "does not run", "will be set", "the deploy starts it")),
        (
            "on", {"active": True, "enabled": False},
            ("on", "runs, off at boot", "will be set", "the deploy starts it"),
        ),
    ],
)  # fmt: skip
def test_networkmanager(services, chosen, manager, line):
    assert row(services({"network_manager": chosen}, NetworkManager=manager), "network_manager") == line


@pytest.mark.parametrize(
    ("chosen", "firewall", "line"),
    [
        (None, OFF, ("left as it is", "does not run", "ok", "")),
        (
            None, {"active": False, "enabled": True},
            ("left as it is", "does not run, on at boot", "ok", ""),
        ),
        # As on a new CentOS: without a choice the run would wait for services that nobody can reach.
        (
            None, RUNS,
            ("left as it is", "firewalld runs and would refuse what the host's roles need", "refused",
             "set it to 'on' (their ports are opened) or 'off'"),
        ),
        ("off", OFF, ("off", "does not run", "ok", "")),
        ("off", RUNS, ("off", "runs", "will be set", "the deploy stops it")),
        (
            "on", OFF,
            ("on", "does not run", "will be set", "the deploy starts it, with the roles' ports open"),
        ),
        ("on", RUNS, ("on", "runs", "ok", "the deploy opens the roles' ports")),
    ],
)  # fmt: skip
def test_the_firewall(services, chosen, firewall, line):
    assert row(services({"firewall": chosen}, firewalld=firewall), "firewall") == line


TAKEN_OVER = {"interface": "eth0", "provider_interface": "eth0"}


def test_networkmanager_would_give_the_address_back(services):
    assert problems(services(TAKEN_OVER)) == []
    assert problems(services({**TAKEN_OVER, "network_manager": "on"}, NetworkManager=RUNS)) == []
    off = {**TAKEN_OVER, "network_manager": "off"}
    assert problems(services(off, NetworkManager=RUNS, network=RUNS)) == []
    assert problems(services(TAKEN_OVER, NetworkManager=RUNS)) == [
        "network_manager: it runs; eth0 has the host's address, which br-provider is to take over, and "
        "NetworkManager would give it back; set it to 'on' (it then leaves both alone) or 'off'"
    ]


def test_what_can_not_be_moved_to_a_bridge(services):
    state = replace(
        GOOD,
        leased={"eth0": ["192.168.56.11/24"], "eth1": ["10.0.0.1/8"]},
        ipv6={"eth0": ["2001:db8::11/64"], "eth1": ["2001:db8::12/64"]},
    )
    assert problems(services(TAKEN_OVER, state)) == [
        "provider_interface: eth0 has 192.168.56.11/24 by DHCP, which nobody would renew on br-provider; "
        "give it a static address",
        "provider_interface: eth0 has the static address 2001:db8::11/64, and only IPv4 moves to "
        "br-provider; remove it",
    ]
    assert problems(services((), state)) == []
    # It has moved already.
    moved = replace(state, interfaces={"eth0": [], "br-provider": ["192.168.56.11"]})
    assert problems(services(TAKEN_OVER, moved)) == []


# The address that load balancers share.


@pytest.fixture
def balanced(tmp_path):
    """A cloud behind two load balancers, and the first of them."""
    cloud = clouds.cloud(tmp_path, {**clouds.HOSTS, **clouds.BALANCERS}, virtual_address="192.168.56.240")
    return cloud, cloud.node("lb1")


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
    assert row(shared_address_lines(*balanced, {"running": False, **found}), "virtual_address") == (
        "192.168.56.240 free", "nobody else answers for it", "ok", "",
    )  # fmt: skip


def test_a_load_balancer_that_is_at_work(balanced):
    (line,) = shared_address_lines(*balanced, {"running": True, "holders": [], "groups": []})
    assert (line.found, line.verdict) == ("keepalived runs here", "ok")


def test_a_shared_address_that_somebody_has(balanced):
    found = {"running": False, "holders": [{"mac": "02:00:00:00:00:99", "peer": None}], "groups": []}
    assert problems(shared_address_lines(*balanced, found)) == [
        "virtual_address: 192.168.56.240 is in use: 02:00:00:00:00:99 answers for it on eth0, and that is "
        "none of the load balancers; take an address that is free"
    ]


def test_a_vrrp_group_of_somebody_else_with_our_number(balanced):
    found = {"running": False, "holders": [], "groups": [{"source": "192.168.56.2", "router_id": 68}]}
    assert problems(shared_address_lines(*balanced, found)) == [
        "keepalived_router_id: 68 is taken: 192.168.56.2 sends VRRP with it on eth0; take another number "
        "(1 to 255)"
    ]
