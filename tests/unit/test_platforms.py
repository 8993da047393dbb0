"""The tables of names: every one that a task asks for is there, and a host's packages come once."""

import ast
import itertools
from pathlib import Path

import pytest

from cloud.expected import AGENT_KINDS
from cloud.platforms import LIBVIRT, PACKSTACK_PARTS, PLATFORMS, ROLE_PARTS, of, role_packages
from cloud.releases import AVAILABLE, SPANS
from cloud.services import SERVICES
from cloud.topology import ROLES

ROOT = Path(__file__).parents[2]


def asked(method):
    """The texts given to ``node.METHOD(…)`` or ``cloud.METHOD(…)`` in tasks, cloud.expected, cloud.model."""
    found = set()
    for path in [*(ROOT / "tasks").glob("*.py"), ROOT / "cloud" / "expected.py", ROOT / "cloud" / "model.py"]:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == method and call.args:
                found |= {a.value for a in call.args if isinstance(a, ast.Constant)}
    return found


def test_every_unit_a_task_asks_for_is_known():
    names = asked("unit")
    assert {"keystone/api", "nova/compute"} <= names
    on_el7_only = {"loadbalancer/proxy", "loadbalancer/address", "neutron/lbaas"}
    assert names - on_el7_only <= set(PLATFORMS["debian"].units)
    assert names <= set(PLATFORMS["el7"].units)
    assert names - {"neutron/lbaas"} <= set(PLATFORMS["el9"].units)
    assert {f"neutron/{kind}" for kind in AGENT_KINDS} <= set(PLATFORMS["debian"].units)


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_libvirt_is_one_daemon_or_many_behind_sockets(platform):
    units = [platform.units[process] for process in LIBVIRT if process in platform.units]
    assert units == ["libvirtd"] or (len(units) == 6 and all(unit.endswith(".socket") for unit in units))


@pytest.mark.parametrize("method", ["units", "paths"])
def test_what_a_platform_may_lack_is_on_another(method):
    names = asked(method)
    assert names
    for name in names:
        assert any(name in getattr(platform, method) for platform in PLATFORMS.values()), name


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_every_path_a_task_asks_for_is_known(platform):
    names = asked("path") - {"haproxy", "keepalived", "neutron-uwsgi"}
    assert {"mariadb", "chrony", "python"} <= names
    assert names <= set(platform.paths)
    assert all(path.startswith("/") for path in platform.paths.values())
    assert len(set(platform.paths.values())) == len(platform.paths)


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_every_role_has_its_packages(platform):
    assert set(ROLE_PARTS) == set(ROLES)
    parts = {part for parts in ROLE_PARTS.values() for part in parts}
    # What only several database hosts install, which EL 7 has none of.
    parts |= {"database-cluster"} & set(platform.packages)
    # What only several network hosts install.
    parts.add("redundant-routers")
    # A source and the load balancing agent are EL's only, so far; haproxy alone is where controllers end TLS.
    everywhere = {"base", "firewall"}
    assert everywhere <= set(platform.packages)
    # Only where packstack runs, which is EL's.
    named = set(platform.packages) - {part for parts in PACKSTACK_PARTS.values() for part in parts}
    assert named | {"source", "lbaas", "loadbalancer", "proxy"} == parts | everywhere | {
        "source",
        "lbaas",
        "proxy",
    }
    for packages in platform.packages.values():
        assert packages
        assert len(set(packages)) == len(packages)
        for package in packages:
            feature, _, name = package.rpartition("?")
            assert name
            assert not feature or feature in SPANS


@pytest.mark.parametrize(("platform", "release"), [("debian", "epoxy"), ("el", "ocata"), ("el", "epoxy")])
def test_a_host_gets_each_package_once_whatever_its_roles(platform, release):
    for count in range(len(ROLES) + 1):
        for roles in itertools.combinations(ROLES, count):
            packages = role_packages(platform, release, set(roles))
            assert len(set(packages)) == len(packages)
            assert set(of(platform, release).packages["base"]) <= set(packages)


@pytest.mark.parametrize(("release", "version"), AVAILABLE["el"].items())
def test_each_release_has_the_table_of_the_system_that_packages_it(release, version):
    assert of("el", release) is PLATFORMS[f"el{version}"]


def test_debian_has_one_table():
    for release in AVAILABLE["debian"]:
        assert of("debian", release) is PLATFORMS["debian"]


def test_the_order_of_roles_does_not_matter():
    assert role_packages("debian", "epoxy", {"compute", "storage"}) == role_packages(
        "debian", "epoxy", {"storage", "compute"}
    )


def test_what_the_guides_install():
    compute = role_packages("debian", "epoxy", {"compute"})
    assert {"chrony", "nova-compute", "neutron-openvswitch-agent", "openvswitch-switch"} <= set(compute)
    assert not {"keystone", "mariadb-server", "cinder-volume", "neutron-l3-agent"} & set(compute)
    storage = role_packages("debian", "epoxy", {"storage"})
    assert {"cinder-volume", "lvm2", "thin-provisioning-tools", "targetcli-fb"} <= set(storage)
    assert not {"nova-compute", "openvswitch-switch"} & set(storage)


def test_every_debconf_answer_is_one():
    for answer in PLATFORMS["debian"].debconf:
        package, question, kind, value = answer.split()
        assert "/" in question
        assert (kind, value) in {("boolean", "true"), ("boolean", "false")}
        assert package


def test_each_agent_brings_its_own_packages():
    older = role_packages("debian", "zed", {"controller", "network"}, l2_agent="linuxbridge", l3_agent=False)
    assert {"neutron-linuxbridge-agent", "ebtables", "ipset", "neutron-dhcp-agent"} <= set(older)
    assert not {"neutron-openvswitch-agent", "openvswitch-switch", "neutron-l3-agent"} & set(older)
    today = role_packages("debian", "epoxy", {"network"})
    assert {"neutron-openvswitch-agent", "neutron-l3-agent"} <= set(today)
    assert "neutron-linuxbridge-agent" not in today


def test_a_service_that_the_cloud_lacks_is_not_installed():
    names = set(SERVICES) - {"cinder"}
    packages = role_packages("debian", "epoxy", {"controller", "compute"}, services=names)
    assert {"keystone", "nova-api", "nova-compute"} <= set(packages)
    assert not [package for package in packages if "cinder" in package]
