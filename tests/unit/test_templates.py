"""The services' files, held against the OpenStack installation guides, whose names for the secrets are used.

What is expected was typed from the guides (docs.openstack.org, for Epoxy: keystone, glance, placement, nova,
neutron with Open vSwitch and self-service networks, cinder), not from what the templates give.
"""

import ast
import copy
import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import clouds
import jinja2
import jinja2.meta
import pytest
import yaml

from cloud import inputs, protection, secrets
from cloud.ini import read_wanted
from cloud.releases import AVAILABLE
from cloud.services import SERVICES
from cloud.templates import TemplateProblem, render
from operations.remote import provider_bridge as program

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "templates").glob("*/*.j2")
    # Nothing but macros, and what two files share.
    if path.name not in ("keystone.j2", "messaging.j2", "usr-bin.conf.j2")
)
# Only on hosts of that role.
BALANCERS = (
    "templates/haproxy/haproxy.cfg.j2",
    "templates/keepalived/keepalived.conf.j2",
    "templates/keepalived/haproxy-answers.j2",
)
INI = [name for name in TEMPLATES if name.split("/")[1] in (*SERVICES, "common")]
INI = [name for name in INI if not name.endswith("consoleproxy.j2")]
NETDEV = {
    "controller": {"tunnel_interface": "eth2", "tunnel_address": "10.0.0.11"},
    "compute": {"tunnel_interface": "eth2", "tunnel_address": "10.0.0.12", "tunnel_prefix": 22},
}
ALL_IN_ONE = {
    "one": (
        ["controller", "compute", "storage"],
        {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1", "volume_devices": ["/dev/sdb"]},
    )
}


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def write_guide_secrets(folder):
    """Secrets that are called as in the guides: NOVA_DBPASS, NOVA_PASS, RABBIT_PASS."""
    special = {"rabbitmq_password": "RABBIT_PASS", "metadata_proxy_secret": "METADATA_SECRET"}
    values = {
        name: special.get(
            name,
            name.upper().replace("_DATABASE_PASSWORD", "_DBPASS").replace("_SERVICE_PASSWORD", "_PASS"),
        )
        for name in secrets.NAMES
    }
    path = folder / secrets.FILE_NAME
    path.write_text(secrets.generate(values, parts=["balancers"]))
    path.chmod(0o600)
    return folder / "inventory.py"


@pytest.fixture
def make(tmp_path):
    """A function that makes a cloud with the guides' secrets."""

    def make(hosts=None, data=(), **settings):
        hosts = copy.deepcopy(hosts or clouds.HOSTS)
        for host, more in dict(data).items():
            hosts[host][1].update(more)
        inventory = clouds.inventory(hosts, allow_weak_secrets=True, **settings)
        return inputs.read(inventory, write_guide_secrets(tmp_path))

    return make


@pytest.fixture
def cloud(make):
    return make()


@pytest.fixture
def older(make):
    """Zed with Linux bridges, provider networks only, no storage host."""
    return make(clouds.OLDER_HOSTS, **clouds.OLDER)


# The guides' way to say "none".
EMPTY = {("DEFAULT", "service_plugins"), ("ml2", "tenant_network_types"), ("agent", "tunnel_types")}


@pytest.fixture(
    params=["default", "all-in-one", "netdev", "older", "linuxbridge", "provider only", "one interface"]
)
def any_cloud(make, request):
    if request.param == "older":
        return request.getfixturevalue("older")
    if request.param == "linuxbridge":
        return make(release="zed", l2_agent="linuxbridge")
    if request.param == "provider only":
        return make(self_service_networks=False)
    if request.param == "one interface":
        return make(data={host: {"interface": "eth1"} for host in ("controller", "compute")})
    if request.param == "all-in-one":
        return make(ALL_IN_ONE)
    if request.param == "netdev":
        return make(data=NETDEV, openvswitch_datapath="netdev", dns_servers=["9.9.9.9"])
    return make()


def text_of(cloud, template, host="controller", **data):
    """A template as the tasks render it for one host; one that services share, as glance's task does."""
    node = cloud.node(host)
    service = cloud.services.get(template.split("/")[0], cloud.services["glance"])
    everything = {
        **clouds.haproxy_data(cloud, host),
        "priority": 100,
        "peers": ["192.168.56.61"],
        "program": "/usr/local/sbin/openstack-images",
        "service": service,
        "virt_type": "kvm",
        "user_name": "admin",
        "unit": "openvswitch-switch",
        "kept": "/etc/openstack-bridges/br-provider.ip",
        "interfaces": protection.unmanaged(cloud, node),
        "taken_over": cloud.takes_over(node),
        "login": cloud.admin_credentials,
        "shell": shlex.quote,
        "text": json.dumps,
    }
    return render(f"templates/{template}.j2", cloud=cloud, node=node, **{**everything, **data})


def options(cloud, template, host="controller", **data):
    """The options of a file as (section, option) -> value."""
    wanted = read_wanted(text_of(cloud, template, host, **data))
    return {(section, name): value for section in wanted for name, value in wanted[section].items()}


def agree(found, expected):
    assert {key: found.get(key) for key in expected} == expected


def authtoken(service, password):
    """The guides' [keystone_authtoken]."""
    return {
        ("keystone_authtoken", name): value
        for name, value in {
            "www_authenticate_uri": "http://192.168.56.11:5000",
            "auth_url": "http://192.168.56.11:5000",
            "memcached_servers": "192.168.56.11:11211",
            "auth_type": "password",
            "project_domain_name": "Default",
            "user_domain_name": "Default",
            "project_name": "service",
            "username": service,
            "password": password,
        }.items()
    }


@pytest.mark.parametrize("template", sorted(set(TEMPLATES) - set(BALANCERS)))
def test_every_template_renders_for_every_host(any_cloud, template):
    name = template.removeprefix("templates/").removesuffix(".j2")
    for host in any_cloud.nodes:
        text = text_of(any_cloud, name, host)
        assert text.endswith("\n")
        assert "{{" not in text
        assert "None" not in text
        assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("template", INI)
def test_every_ini_template_is_one(any_cloud, template):
    for host, node in any_cloud.nodes.items():
        wanted = read_wanted(
            text_of(any_cloud, template.removeprefix("templates/").removesuffix(".j2"), host)
        )
        assert wanted
        none = EMPTY if not any_cloud.self_service else set()
        none = none if node.settings.provider_interface else {*none, ("ovs", "bridge_mappings")}
        for section, values in wanted.items():
            for option, value in values.items():
                # A list is an option that is there twice: a macro that was used twice in a section.
                assert isinstance(value, str), f"[{section}] {option}"
                if (section, option) not in none:
                    assert value, f"[{section}] {option}"


def calls_with_templates():
    """(task, template, names that the task gives it) of every config operation with a template."""
    for path in sorted((ROOT / "tasks").glob("*.py")):
        tree = ast.parse(path.read_text())
        dictionaries = {
            node.targets[0].id: [key.value for key in node.value.keys]
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        }
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            names = set(given)
            for keyword in call.keywords:
                if keyword.arg is None and isinstance(keyword.value, ast.Name):
                    names |= set(dictionaries.get(keyword.value.id, ()))
            if getattr(call.func, "attr", "") == "login_file":
                names |= {"login", "shell", "text"}  # the operation's own
            if "src" in given:
                yield path.name, given["src"].value, names


def test_a_task_gives_its_template_every_name_it_uses():
    environment = jinja2.Environment()
    calls = list(calls_with_templates())
    assert {template for _, template, _ in calls} == set(TEMPLATES)
    for task, template, names in calls:
        used = jinja2.meta.find_undeclared_variables(environment.parse((ROOT / template).read_text()))
        assert used <= names, f"{task}: {template}"


def test_a_name_that_nobody_gave_is_an_error_and_not_an_empty_text():
    with pytest.raises(TemplateProblem, match=r"keystone\.conf\.j2:\d+: 'cloud' is undefined"):
        render("templates/keystone/keystone.conf.j2")


def test_keystone(cloud):
    agree(
        options(cloud, "keystone/keystone.conf"),
        {
            ("database", "connection"): (
                "mysql+pymysql://keystone:KEYSTONE_DBPASS@192.168.56.11:3306/keystone?charset=utf8"
            ),
            ("token", "provider"): "fernet",
        },
    )


def test_glance(cloud):
    agree(
        options(cloud, "glance/glance-api.conf"),
        {
            ("database", "connection"): (
                "mysql+pymysql://glance:GLANCE_DBPASS@192.168.56.11:3306/glance?charset=utf8"
            ),
            ("paste_deploy", "flavor"): "keystone",
            **authtoken("glance", "GLANCE_PASS"),
        },
    )


def test_glance_has_a_section_for_its_default_store(cloud):
    found = options(cloud, "glance/glance-api.conf")
    store = found["glance_store", "default_backend"]
    assert found["DEFAULT", "enabled_backends"] == f"{store}:file"
    assert found[store, "filesystem_store_datadir"] == "/var/lib/glance/images/"


def test_placement(cloud):
    agree(
        options(cloud, "placement/placement.conf"),
        {
            ("api", "auth_strategy"): "keystone",
            ("placement_database", "connection"): (
                "mysql+pymysql://placement:PLACEMENT_DBPASS@192.168.56.11:3306/placement?charset=utf8"
            ),
            **authtoken("placement", "PLACEMENT_PASS"),
        },
    )


# The guide has [api] auth_strategy too, which nova has called deprecated since 21.0.
NOVA_EVERYWHERE = {
    ("DEFAULT", "transport_url"): "rabbit://openstack:RABBIT_PASS@192.168.56.11:5672/",
    **authtoken("nova", "NOVA_PASS"),
    ("service_user", "send_service_user_token"): "true",
    ("service_user", "auth_url"): "http://192.168.56.11:5000",
    ("service_user", "auth_type"): "password",
    ("service_user", "project_name"): "service",
    ("service_user", "username"): "nova",
    ("service_user", "password"): "NOVA_PASS",
    ("vnc", "enabled"): "true",
    ("placement", "region_name"): "RegionOne",
    ("placement", "auth_type"): "password",
    ("placement", "auth_url"): "http://192.168.56.11:5000",
    ("placement", "project_name"): "service",
    ("neutron", "auth_url"): "http://192.168.56.11:5000",
    ("neutron", "auth_type"): "password",
    ("neutron", "region_name"): "RegionOne",
    ("neutron", "project_name"): "service",
    ("cinder", "os_region_name"): "RegionOne",
    ("oslo_concurrency", "lock_path"): "/var/lib/nova/tmp",
}


def test_nova_on_a_controller(cloud):
    agree(
        options(cloud, "nova/nova.conf"),
        {
            **NOVA_EVERYWHERE,
            ("DEFAULT", "my_ip"): "192.168.56.11",
            ("api_database", "connection"): (
                "mysql+pymysql://nova:NOVA_DBPASS@192.168.56.11:3306/nova_api?charset=utf8"
            ),
            ("database", "connection"): (
                "mysql+pymysql://nova:NOVA_DBPASS@192.168.56.11:3306/nova?charset=utf8"
            ),
            ("vnc", "server_listen"): "192.168.56.11",
            ("vnc", "server_proxyclient_address"): "192.168.56.11",
            ("neutron", "service_metadata_proxy"): "true",
            ("neutron", "metadata_proxy_shared_secret"): "METADATA_SECRET",
        },
    )


def test_nova_on_a_compute_host(cloud):
    agree(
        options(cloud, "nova/nova.conf", "compute"),
        {
            **NOVA_EVERYWHERE,
            ("DEFAULT", "my_ip"): "192.168.56.12",
            ("vnc", "server_proxyclient_address"): "192.168.56.12",
            ("vnc", "novncproxy_base_url"): "http://192.168.56.11:6080/vnc_auto.html",
            ("libvirt", "virt_type"): "kvm",
        },
    )
    agree(options(cloud, "nova/nova-compute.conf", "compute"), {("libvirt", "virt_type"): "kvm"})


@pytest.mark.parametrize("template", ["nova/nova.conf", "neutron/neutron.conf"])
def test_no_compute_host_knows_a_database_or_the_metadata_secret(cloud, template):
    text = text_of(cloud, template, "compute")
    assert "DBPASS" not in text
    assert "METADATA_SECRET" not in text


def test_nova_and_the_metadata_agent_share_a_secret(cloud):
    agree(
        options(cloud, "neutron/metadata_agent.ini"),
        {
            ("DEFAULT", "nova_metadata_host"): "192.168.56.11",
            ("DEFAULT", "metadata_proxy_shared_secret"): options(cloud, "nova/nova.conf")[
                "neutron", "metadata_proxy_shared_secret"
            ],
        },
    )


def test_neutron_on_a_controller(cloud):
    agree(
        options(cloud, "neutron/neutron.conf"),
        {
            ("database", "connection"): (
                "mysql+pymysql://neutron:NEUTRON_DBPASS@192.168.56.11:3306/neutron?charset=utf8"
            ),
            ("DEFAULT", "core_plugin"): "ml2",
            ("DEFAULT", "service_plugins"): "router",
            ("DEFAULT", "transport_url"): "rabbit://openstack:RABBIT_PASS@192.168.56.11:5672/",
            ("DEFAULT", "auth_strategy"): "keystone",
            ("DEFAULT", "notify_nova_on_port_status_changes"): "true",
            ("DEFAULT", "notify_nova_on_port_data_changes"): "true",
            **authtoken("neutron", "NEUTRON_PASS"),
            ("nova", "auth_url"): "http://192.168.56.11:5000",
            ("nova", "auth_type"): "password",
            ("nova", "project_domain_name"): "Default",
            ("nova", "user_domain_name"): "Default",
            ("nova", "region_name"): "RegionOne",
            ("nova", "project_name"): "service",
            ("nova", "username"): "nova",
            ("nova", "password"): "NOVA_PASS",
            ("oslo_concurrency", "lock_path"): "/var/lib/neutron/tmp",
        },
    )


def test_the_ml2_plug_in(cloud):
    agree(
        options(cloud, "neutron/ml2_conf.ini"),
        {
            ("ml2", "type_drivers"): "flat,vlan,vxlan",
            ("ml2", "tenant_network_types"): "vxlan",
            ("ml2", "mechanism_drivers"): "openvswitch,l2population",
            ("ml2", "extension_drivers"): "port_security",
            ("ml2_type_flat", "flat_networks"): "provider",
            ("ml2_type_vxlan", "vni_ranges"): "1:1000",
        },
    )


def test_the_agents(cloud):
    agree(
        options(cloud, "neutron/openvswitch_agent.ini", "compute"),
        {
            ("ovs", "bridge_mappings"): "provider:br-provider",
            ("ovs", "local_ip"): "192.168.56.12",
            ("agent", "tunnel_types"): "vxlan",
            ("agent", "l2_population"): "true",
            ("securitygroup", "enable_security_group"): "true",
            ("securitygroup", "firewall_driver"): "openvswitch",
        },
    )
    agree(options(cloud, "neutron/l3_agent.ini"), {("DEFAULT", "interface_driver"): "openvswitch"})
    agree(
        options(cloud, "neutron/dhcp_agent.ini"),
        {
            ("DEFAULT", "interface_driver"): "openvswitch",
            ("DEFAULT", "enable_isolated_metadata"): "true",
        },
    )


def test_a_compute_host_without_the_provider_network_maps_no_bridge(make):
    """Said, and not left to Debian's own file: that maps br-ex, and its agent ends where that is not."""
    cloud = make(data={"compute": {"provider_interface": None}})
    assert options(cloud, "neutron/openvswitch_agent.ini", "compute")["ovs", "bridge_mappings"] == ""


# From here: what differs for provider networks only, and with Linux bridges. Expected values are from the
# installation guide of neutron for Zed, "Networking Option 1" (provider) and "Option 2" (self-service).


def test_the_server_with_provider_networks_only(older):
    agree(
        options(older, "neutron/neutron.conf"),
        {("DEFAULT", "core_plugin"): "ml2", ("DEFAULT", "service_plugins"): ""},
    )
    found = options(older, "neutron/ml2_conf.ini")
    agree(
        found,
        {
            ("ml2", "type_drivers"): "flat,vlan",
            ("ml2", "tenant_network_types"): "",
            ("ml2", "mechanism_drivers"): "linuxbridge",
            ("ml2", "extension_drivers"): "port_security",
            ("ml2_type_flat", "flat_networks"): "provider",
            ("ml2_type_vxlan", "vni_ranges"): None,
        },
    )


@pytest.mark.parametrize("host", ["controller", "compute"])
def test_the_linux_bridge_agent_with_provider_networks_only(older, host):
    assert options(older, "neutron/linuxbridge_agent.ini", host) == {
        ("linux_bridge", "physical_interface_mappings"): "provider:eth0",
        ("vxlan", "enable_vxlan"): "false",
        ("securitygroup", "enable_security_group"): "true",
        # The guide's neutron.agent.linux.iptables_firewall.IptablesFirewallDriver, by its short name.
        ("securitygroup", "firewall_driver"): "iptables",
    }
    agree(options(older, "neutron/dhcp_agent.ini"), {("DEFAULT", "interface_driver"): "linuxbridge"})


def test_the_linux_bridge_agent_with_self_service_networks(make):
    cloud = make(release="zed", l2_agent="linuxbridge")
    agree(
        options(cloud, "neutron/ml2_conf.ini"),
        {
            ("ml2", "type_drivers"): "flat,vlan,vxlan",
            ("ml2", "tenant_network_types"): "vxlan",
            ("ml2", "mechanism_drivers"): "linuxbridge,l2population",
        },
    )
    agree(
        options(cloud, "neutron/linuxbridge_agent.ini", "compute"),
        {
            ("linux_bridge", "physical_interface_mappings"): "provider:eth1",
            ("vxlan", "enable_vxlan"): "true",
            ("vxlan", "local_ip"): "192.168.56.12",
            ("vxlan", "l2_population"): "true",
        },
    )
    agree(options(cloud, "neutron/l3_agent.ini"), {("DEFAULT", "interface_driver"): "linuxbridge"})
    agree(options(cloud, "neutron/neutron.conf"), {("DEFAULT", "service_plugins"): "router"})


def test_open_vswitch_with_provider_networks_only(make):
    found = options(make(self_service_networks=False), "neutron/openvswitch_agent.ini", "compute")
    agree(
        found,
        {
            ("ovs", "bridge_mappings"): "provider:br-provider",
            ("ovs", "local_ip"): None,
            ("agent", "tunnel_types"): "",
            ("agent", "l2_population"): "false",
        },
    )


def test_the_driver_that_is_called_an_experiment_is_asked_for(make, monkeypatch):
    switch = ("experimental", "linuxbridge")
    hosts, older = clouds.OLDER_HOSTS, clouds.OLDER
    assert options(make(hosts, **older), "neutron/neutron.conf")[switch] == "true"
    assert switch not in options(make(hosts, **older), "neutron/neutron.conf", "compute")
    assert switch not in options(make(release="zed"), "neutron/neutron.conf")
    # Before zed nobody had to, and the option is not known.
    monkeypatch.setitem(AVAILABLE["debian"], "yoga", "11")
    assert switch not in options(make(hosts, **{**older, "release": "yoga"}), "neutron/neutron.conf")


def test_iptables_sees_what_crosses_a_bridge(older):
    unit = text_of(older, "linuxbridge/bridges.service", "compute").splitlines()
    for family in ("ip", "ip6", "arp"):
        assert f"ExecStart=/usr/sbin/sysctl -w net.bridge.bridge-nf-call-{family}tables=1" in unit
    assert "ExecStart=/usr/sbin/ip link set eth0 up" in unit
    assert "Before=neutron-linuxbridge-agent.service" in unit


@pytest.fixture
def ebtables(older, tmp_path):
    """A function that runs our command over one that only notes what it is asked: (status, its words)."""
    real, ours, log = tmp_path / "real", tmp_path / "ours", tmp_path / "log"
    # As ebtables 1.8.9 lists a chain, numbered.
    real.write_text(f"""#!/bin/sh
echo "$*" >>{log}
case "$*" in *" -L "*) cat <<'END'
Bridge table: nat

Bridge chain: neutronMAC-tap1, entries: 3, policy: RETURN
1 -i tap1 --among-src fa:16:3e:5a:ce:71 -j RETURN
2 -i tap1 --among-src fa:16:3e:5a:ce:70,fa:16:3e:5a:ce:72 -j RETURN
3 -j DROP
END
esac
""")
    ours.write_text(text_of(older, "linuxbridge/ebtables").replace("/usr/sbin/ebtables", str(real)))
    for file in (real, ours):
        file.chmod(0o755)

    def run(*words):
        log.write_text("")
        done = subprocess.run([ours, *words], capture_output=True, text=True)
        return done.returncode, log.read_text().splitlines()

    return run


DELETE = ["-t", "nat", "--concurrent", "-D", "neutronMAC-tap1", "-i", "tap1", "--among-src"]


def test_a_rule_with_a_set_of_addresses_is_deleted_by_its_number(ebtables):
    assert ebtables(*DELETE, "fa:16:3e:5a:ce:70,fa:16:3e:5a:ce:72", "-j", "RETURN") == (
        0,
        [
            "-t nat --concurrent -L neutronMAC-tap1 --Ln",
            "-t nat --concurrent -D neutronMAC-tap1 2",
        ],
    )


def test_a_rule_that_is_not_there_is_not_asked_for_again(ebtables):
    """The agent takes 4 and 255 for "try again", without an end."""
    assert ebtables(*DELETE, "fa:16:3e:5a:ce:99", "-j", "RETURN") == (
        1,
        ["-t nat --concurrent -L neutronMAC-tap1 --Ln"],
    )


@pytest.mark.parametrize(
    "words",
    [
        "-t nat --concurrent -L",
        "-t nat --concurrent -I neutronMAC-tap1 -i tap1 --among-src fa:16:3e:5a:ce:70 -j RETURN",
        "-t nat --concurrent -D PREROUTING -i tap1 -j neutronMAC-tap1",
        "-D FORWARD -i eth0 --among-src fa:16:3e:5a:ce:70 -j DROP",
    ],
)
def test_all_else_goes_to_ebtables_as_it_is(ebtables, words):
    assert ebtables(*words.split()) == (0, [words])


def test_nova_without_a_storage_host_knows_no_cinder(older):
    for host in ("controller", "compute"):
        assert not [key for key in options(older, "nova/nova.conf", host) if key[0] == "cinder"]


def test_horizon_without_routers(older, cloud):
    names = {}
    exec(text_of(older, "horizon/local_settings.py"), names)
    assert names["OPENSTACK_NEUTRON_NETWORK"]["enable_router"] is False
    assert "OPENSTACK_NEUTRON_NETWORK" not in text_of(cloud, "horizon/local_settings.py")


def test_tunnels_in_user_space(make):
    cloud = make(data=NETDEV, openvswitch_datapath="netdev")
    agree(
        options(cloud, "neutron/openvswitch_agent.ini", "compute"),
        {("ovs", "local_ip"): "10.0.0.12", ("ovs", "datapath_type"): "netdev"},
    )
    unit = text_of(cloud, "openvswitch/bridges.service", "compute").splitlines()
    assert "ExecStart=/usr/sbin/ip address replace 10.0.0.12/22 dev br-tunnel" in unit
    assert "After=openvswitch-switch.service" in unit


def test_a_bridge_with_the_hosts_address_has_it_after_a_boot_and_lets_it_through(make):
    cloud = make(data={"compute": {"interface": "eth1"}})
    unit = text_of(cloud, "openvswitch/bridges.service", "compute").replace("\\\n", "")
    kept = "/etc/openstack-bridges/br-provider.ip"
    # The path is the program's, which can't be asked: it runs on the host.
    assert kept == program.KEPT % "br-provider"
    assert 'kept=f"/etc/openstack-bridges/' in (ROOT / "tasks" / "openvswitch.py").read_text()
    assert re.search(rf"\[ ! -e {kept} \] .*address flush dev eth1;.* ip -force -batch {kept};", unit)
    assert re.search(
        r"is-active --quiet neutron-openvswitch-agent \|\| .*set-fail-mode br-provider standalone", unit
    )
    assert "Before=network-online.target" in unit
    other = text_of(cloud, "openvswitch/bridges.service", "controller")
    assert "flush" not in other
    assert "set-fail-mode" not in other
    assert "ExecStart=/usr/sbin/ip link set br-provider up" in other


def test_networkmanager_is_told_what_to_leave_alone(make):
    cloud = make(data={"compute": {"interface": "eth1"}})
    mine = text_of(cloud, "networkmanager/openstack.conf", "compute")
    assert "\ndns=none\n" in mine
    assert "unmanaged-devices+=interface-name:br-int;interface-name:br-tun;" in mine
    assert ";interface-name:eth1;interface-name:br-provider\n" in mine
    assert "dns=none" not in text_of(cloud, "networkmanager/openstack.conf", "controller")
    # No network of the cloud's is on it.
    assert "unmanaged" not in text_of(cloud, "networkmanager/openstack.conf", "storage")


def test_each_host_has_the_datapath_that_its_kernel_allows(make):
    user_space = {"openvswitch_datapath": "netdev", **NETDEV["controller"]}
    cloud = make(data={"controller": user_space, "compute": {"tunnel_address": "10.0.0.12"}})
    for host, datapath in (("controller", "netdev"), ("compute", "system")):
        assert options(cloud, "neutron/openvswitch_agent.ini", host)["ovs", "datapath_type"] == datapath
    assert "br-tunnel" in text_of(cloud, "openvswitch/bridges.service", "controller")
    assert "br-tunnel" not in text_of(cloud, "openvswitch/bridges.service", "compute")
    # A soft reboot would leave the guest without a network, where the port's device is not the kernel's.
    assert ("libvirt", "wait_soft_reboot_seconds") not in options(cloud, "nova/nova-compute.conf", "compute")
    assert (
        options(cloud, "nova/nova-compute.conf", "controller")["libvirt", "wait_soft_reboot_seconds"] == "0"
    )


def test_load_balancers(make):
    hosts = {
        **clouds.HOSTS,
        "lb1": (["loadbalancer"], {"ssh_hostname": "192.168.56.60", "interface": "eth0"}),
    }
    cloud = make(hosts, virtual_address="192.168.56.240")
    text = text_of(cloud, "haproxy/haproxy.cfg", "lb1")
    for port in (3306, 5672, 11211, 5000, 9292, 8778, 8774, 8775, 9696, 8776, 6080, 80):
        assert f"    bind 192.168.56.240:{port}\n" in text
        assert f" 192.168.56.11:{port} check inter " in text
    keepalived = text_of(cloud, "keepalived/keepalived.conf", "lb1")
    assert "    interface eth0\n" in keepalived
    assert "        192.168.56.240\n" in keepalived
    # Everybody goes through it.
    assert (
        options(cloud, "nova/nova.conf")["database", "connection"].split("@")[1].startswith("192.168.56.240")
    )
    assert cloud.service("nova").url("public").startswith("http://192.168.56.240:8774")


def test_cinder(cloud):
    everywhere = {
        ("database", "connection"): (
            "mysql+pymysql://cinder:CINDER_DBPASS@192.168.56.11:3306/cinder?charset=utf8"
        ),
        ("DEFAULT", "transport_url"): "rabbit://openstack:RABBIT_PASS@192.168.56.11:5672/",
        ("DEFAULT", "auth_strategy"): "keystone",
        **authtoken("cinder", "CINDER_PASS"),
        ("oslo_concurrency", "lock_path"): "/var/lib/cinder/tmp",
    }
    found = options(cloud, "cinder/cinder.conf")
    agree(found, {**everywhere, ("DEFAULT", "my_ip"): "192.168.56.11", ("DEFAULT", "enabled_backends"): None})
    agree(
        options(cloud, "cinder/cinder.conf", "storage"),
        {
            **everywhere,
            ("DEFAULT", "my_ip"): "192.168.56.13",
            ("DEFAULT", "enabled_backends"): "lvm",
            ("lvm", "volume_driver"): "cinder.volume.drivers.lvm.LVMVolumeDriver",
            ("lvm", "volume_group"): "cinder-volumes",
            ("lvm", "target_protocol"): "iscsi",
            # The guides' for EL; for Debian they name tgtadm, whose package needs a daemon of its own.
            ("lvm", "target_helper"): "lioadm",
        },
    )


def test_on_one_host_a_file_holds_both_roles(make):
    cloud = make(ALL_IN_ONE)
    agree(
        options(cloud, "nova/nova.conf", "one"),
        {
            **NOVA_EVERYWHERE,
            ("api_database", "connection"): (
                "mysql+pymysql://nova:NOVA_DBPASS@192.168.56.11:3306/nova_api?charset=utf8"
            ),
            ("libvirt", "virt_type"): "kvm",
        },
    )
    agree(options(cloud, "cinder/cinder.conf", "one"), {("DEFAULT", "enabled_backends"): "lvm"})


def test_the_number_of_processes(make):
    assert options(make(workers=7), "common/uwsgi.ini")["uwsgi", "processes"] == "7"


def test_an_attach_does_not_take_cinders_only_process(make):
    cloud = make(workers=1)
    assert options(cloud, "cinder/cinder.conf")["DEFAULT", "osapi_volume_workers"] == "3"
    service = cloud.service("cinder")
    assert options(cloud, "common/uwsgi.ini", service=service)["uwsgi", "processes"] == "3"


def test_mariadb(cloud):
    agree(
        options(cloud, "mariadb/openstack.cnf"),
        {
            ("mysqld", "bind-address"): "192.168.56.11",
            ("mysqld", "default-storage-engine"): "innodb",
            ("mysqld", "innodb_file_per_table"): "on",
            ("mysqld", "max_connections"): "4096",
            # The guides' "utf8", by the name it has since MariaDB 10.6.
            ("mysqld", "collation-server"): "utf8mb3_general_ci",
            ("mysqld", "character-set-server"): "utf8mb3",
        },
    )


def test_time(make):
    cloud = make(ntp_servers=["ntp1.example.org", "ntp2.example.org"])
    controller = text_of(cloud, "chrony/chrony.conf").splitlines()
    assert {"server ntp1.example.org iburst", "server ntp2.example.org iburst"} <= set(controller)
    assert "allow 192.168.56.0/24" in controller
    compute = text_of(cloud, "chrony/chrony.conf", "compute").splitlines()
    servers = [line for line in compute if line.startswith(("server", "pool", "allow", "local"))]
    assert [line.split()[:3] for line in servers] == [["server", "192.168.56.11", "iburst"]]


def test_memcached_and_rabbitmq_listen_on_the_management_address_only(cloud):
    assert "-l 192.168.56.11" in text_of(cloud, "memcached/memcached.conf").splitlines()
    assert "NODE_IP_ADDRESS=192.168.56.11" in text_of(cloud, "rabbitmq/rabbitmq-env.conf").splitlines()


def test_horizon(cloud):
    names = {}
    exec(text_of(cloud, "horizon/local_settings.py"), names)
    agree(
        names,
        {
            "OPENSTACK_HOST": "192.168.56.11",
            "ALLOWED_HOSTS": ["192.168.56.11", "controller"],
            "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
            "CACHES": {
                "default": {
                    "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
                    "LOCATION": ["192.168.56.11:11211"],
                }
            },
            "OPENSTACK_KEYSTONE_URL": "http://192.168.56.11:5000/v3",
            "OPENSTACK_KEYSTONE_MULTIDOMAIN_SUPPORT": True,
            "OPENSTACK_API_VERSIONS": {"identity": 3, "image": 2, "volume": 3},
            "OPENSTACK_KEYSTONE_DEFAULT_DOMAIN": "Default",
            "TIME_ZONE": "UTC",
        },
    )


@pytest.mark.parametrize("user", ["admin", "demo"])
def test_openrc_is_read_by_a_shell(cloud, user, tmp_path):
    file = tmp_path / "openrc.sh"
    file.write_text(text_of(cloud, "credentials/openrc", user_name=user))
    shell = subprocess.run(
        ["sh", "-ec", f". {file}; env"], capture_output=True, text=True, check=True, env={"PATH": os.defpath}
    )
    agree(
        dict(line.split("=", 1) for line in shell.stdout.splitlines()),
        {
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_NAME": user,
            "OS_USERNAME": user,
            "OS_PASSWORD": f"{user.upper()}_PASSWORD",
            "OS_AUTH_URL": "http://192.168.56.11:5000/v3",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_IMAGE_API_VERSION": "2",
        },
    )


def test_clouds_yaml(cloud):
    found = yaml.safe_load(text_of(cloud, "credentials/clouds.yaml"))["clouds"]
    assert set(found) == {"openstack", "openstack-demo"}
    assert found["openstack-demo"] == {
        "region_name": "RegionOne",
        "identity_api_version": 3,
        "auth": {
            "auth_url": "http://192.168.56.11:5000/v3",
            "username": "demo",
            "password": "DEMO_PASSWORD",
            "project_name": "demo",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
    }


@pytest.mark.parametrize(
    ("operation", "promiscuous", "calls"),
    [
        ("started", "PROMISC", ["link show dev tap8ffa6359-10", "link set dev tap8ffa6359-10 up"]),
        ("started", "", ["link show dev tap8ffa6359-10"] * 10 + ["link set dev tap8ffa6359-10 up"]),
        ("prepare", "PROMISC", []),
    ],
)
def test_the_hook_of_libvirt_keeps_a_tap_up(tmp_path, operation, promiscuous, calls):
    log = tmp_path / "log"
    log.touch()
    for name, text in (("ip", f'echo "$*" >>{log}; echo "<{promiscuous}>"'), ("sleep", "")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    hook = tmp_path / "hook"
    hook.write_text(render("templates/libvirt/taps-up.j2"))
    xml = (
        "<domain><devices>\n<disk><target dev='vda' bus='virtio'/></disk>\n"
        "<interface type='ethernet'>\n  <target dev='tap8ffa6359-10'/>\n</interface></devices></domain>\n"
    )
    # As libvirt calls it; dash is Debian's /bin/sh.
    subprocess.run(
        ["sh", str(hook), "instance-00000001", operation, "begin", "-"],
        input=xml,
        text=True,
        check=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert log.read_text().splitlines() == calls
