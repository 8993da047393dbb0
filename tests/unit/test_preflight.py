"""What a host is against what it must be: its system, its size and its disks."""

import copy
from dataclasses import replace

import clouds
import pytest
from states import GOOD, problems, row

from cloud.preflight import disk_lines, host_lines, request


@pytest.fixture
def lines(tmp_path):
    """A function: the lines of one of the default hosts, with other data or in another state."""

    def lines(host="controller", data=(), settings=(), **state):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts[host][1].update(data)
        cloud = clouds.cloud(tmp_path, hosts, **dict(settings))
        return host_lines(cloud, cloud.node(host), replace(GOOD, **state))

    return lines


@pytest.mark.parametrize("host", clouds.HOSTS)
def test_a_good_host(lines, host):
    assert {line.verdict for line in lines(host)} == {"ok"}
    assert [line.check for line in lines(host)] == [
        "system", "process 1", "login", "python", "memory", "free on /", "selinux",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (
            {"os_id": "ubuntu", "os_version": "24.04"},
            "system: ubuntu 24.04; the inventory says platform debian: correct it, or install one of debian",
        ),
        (
            {"os_id": "", "os_version": ""},
            "system: unknown; the inventory says platform debian: correct it, or install one of debian",
        ),
        ({"os_version": "12"}, "system: debian 12; it does not package release epoxy; debian 13 does"),
        ({"init": "sh"}, "process 1: sh; boot the host with systemd: nothing else can manage its services"),
        ({"user": "operator"}, "login: operator; log in as root, or set _sudo = True in group_data/all.py"),
        ({"python": False}, "python: missing; install python3"),
        ({"memory": 3499}, "memory: 3499 MiB; a controller host needs 3500 MiB: give it more"),
        (
            {"free_disk": 5999},
            "free on /: 5999 MiB; a controller host needs 6000 MiB: make room, or give it a larger disk",
        ),
    ],
)
def test_what_refuses_a_host(lines, state, problem):
    assert problems(lines(**state)) == [problem]


@pytest.mark.parametrize(("host", "memory"), [("compute", 900), ("storage", 900)])
def test_the_least_memory(lines, host, memory):
    assert problems(lines(host, memory=memory)) == []
    (problem,) = problems(lines(host, memory=memory - 1))
    assert problem == f"memory: {memory - 1} MiB; a {host} host needs {memory} MiB: give it more"


def test_memory_that_is_not_comfortable(lines):
    assert row(lines(memory=5999), "memory") == (
        "3500 MiB", "5999 MiB", "warning", "it works; 6000 MiB are comfortable",
    )  # fmt: skip
    assert row(lines(memory=6000), "memory")[2] == "ok"
    assert row(lines("compute", memory=1000), "memory")[2] == "ok"


@pytest.mark.parametrize(("host", "disk"), [("compute", 3000), ("storage", 1500)])
def test_the_least_room_on_the_root_file_system(lines, host, disk):
    assert problems(lines(host, free_disk=disk)) == []
    assert len(problems(lines(host, free_disk=disk - 1))) == 1


def test_packages_that_are_installed_need_no_room(lines):
    assert row(lines(free_disk=100, installed=True), "free on /") == ("any", "100 MiB", "ok", "")


# As the original install notes have it: 10 GB, of which the kernel keeps a part, and 50 GB.
REQUIRED = {"required": {"memory": 9500, "disk": 45}}


def test_the_operators_own_least(lines):
    good = lines(data=REQUIRED, memory=9500, disk=45 * 1024)
    assert row(good, "memory") == ("9500 MiB", "9500 MiB", "ok", "")
    assert row(good, "size of /") == ("45 GiB", "45.0 GiB", "ok", "")
    assert problems(lines(data=REQUIRED, memory=9499, disk=45 * 1024 - 1)) == [
        "memory: 9499 MiB; required.memory is 9500 MiB: give the host more, or ask for less",
        "size of /: 45.0 GiB; required.disk is 45 GiB: give the host a larger disk, or ask for less",
    ]
    # In place of ours: an operator may know better.
    assert row(lines(data={"required": {"memory": 2000}}, memory=2000), "memory")[2] == "ok"


def test_a_host_without_a_role_that_needs_much(tmp_path):
    hosts = {**clouds.HOSTS, **clouds.BALANCERS}
    cloud = clouds.cloud(tmp_path, hosts, virtual_address="192.168.56.240")
    found = host_lines(cloud, cloud.node("lb1"), replace(GOOD, memory=300, free_disk=200))
    assert row(found, "memory") == ("any", "300 MiB", "ok", "")
    assert row(found, "free on /") == ("any", "200 MiB", "ok", "")


def test_a_point_release_is_that_release(lines):
    assert row(lines(os_version="13.2"), "system") == ("debian 13", "debian 13.2", "ok", "")


def test_all_problems_are_told_at_once(lines):
    assert len(problems(lines(user="operator", python=False, memory=1, free_disk=1))) == 4


SET, REBOOT = "the deploy sets it", "the deploy sets it; it takes a reboot of the host then"


@pytest.mark.parametrize(
    ("chosen", "now", "boot", "found", "verdict", "cure"),
    [
        (None, "", "", "the host has none", "ok", ""),
        ("disabled", "", "", "the host has none", "ok", ""),
        (None, "enforcing", "enforcing", "enforcing", "ok", ""),
        (None, "permissive", "enforcing", "permissive, enforcing at the next boot", "ok", ""),
        ("enforcing", "enforcing", "enforcing", "enforcing", "ok", ""),
        ("disabled", "disabled", "disabled", "disabled", "ok", ""),
        # The kernel was told so, and there is no getenforce any more.
        ("disabled", "", "disabled", "disabled", "ok", ""),
        ("permissive", "enforcing", "enforcing", "enforcing", "will be set", SET),
        ("disabled", "enforcing", "enforcing", "enforcing", "will be set", REBOOT),
        (
            "enforcing", "disabled", "permissive", "disabled, permissive at the next boot", "will be set",
            REBOOT,
        ),
        (
            "disabled", "enforcing", "disabled", "enforcing, disabled at the next boot", "warning",
            "reboot the host: nothing else changes it any more",
        ),
    ],
)  # fmt: skip
def test_selinux(lines, chosen, now, boot, found, verdict, cure):
    line = row(lines(data={"selinux": chosen}, selinux=now, selinux_boot=boot), "selinux")
    assert line == (chosen or "left as it is", found, verdict, cure)


@pytest.fixture
def el(tmp_path):
    """A function: the problems of one of the default hosts as an EL one."""

    def el(release, host="controller", data=(), **state):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts[host][1].update(data)
        cloud = clouds.cloud(tmp_path, hosts, platform="el", release=release)
        return problems(host_lines(cloud, cloud.node(host), replace(GOOD, **state)))

    return el


@pytest.mark.parametrize("system", ["centos", "rhel", "rocky", "almalinux"])
@pytest.mark.parametrize("release", ["zed", "caracal", "epoxy"])
def test_a_good_el_9_host_has_none(el, release, system):
    assert el(release, os_id=system, os_version="9.4") == []


@pytest.mark.parametrize(
    ("release", "system", "version", "problem"),
    [
        ("caracal", "centos", "7", "system: centos 7; it does not package release caracal; el 9 does"),
        ("epoxy", "rocky", "10.0", "system: rocky 10.0; it does not package release epoxy; el 9 does"),
        ("train", "centos", "9", "system: centos 9; it does not package release train; el 7 does"),
        (
            "train",
            "rocky",
            "9.4",
            "system: rocky 9.4; the inventory says platform el: correct it, or install one of centos, rhel",
        ),
    ],
)
def test_an_el_host_of_the_wrong_version(el, release, system, version, problem):
    assert el(release, os_id=system, os_version=version) == [problem]


def test_packstack_takes_the_release_that_its_repositories_have(tmp_path):
    cloud = clouds.cloud(tmp_path, platform="el", release="newton", deployed_by="packstack")
    state = replace(GOOD, os_id="centos", os_version="7.9")
    found = row(host_lines(cloud, cloud.node("controller"), state), "system")
    assert found == ("el", "centos 7.9", "ok", "")


def test_el_7_needs_libraries_that_nobody_packages(el):
    centos = {"os_id": "centos", "os_version": "7"}
    assert el("train", **centos) == []
    assert el("train", missing=("openstack", "pymysql"), **centos) == [
        "python: python3 lacks openstacksdk and PyMySQL; el does not package it for python3: install what is "
        "missing, or name another interpreter by the setting 'python'"
    ]
    own = {"python": "/opt/deploy/bin/python"}
    assert el("train", data=own, missing=("pymysql",), **centos) == [
        "python: /opt/deploy/bin/python lacks PyMySQL; el does not package it for /opt/deploy/bin/python: "
        "install what is missing, or name another interpreter by the setting 'python'"
    ]


def test_the_interpreter_that_is_named_must_be_there(el):
    data = {"python": "/opt/deploy/bin/python"}
    # Nothing can be said of its libraries.
    assert el("caracal", data=data, os_id="rocky", os_version="9", python=False, missing=("openstack",)) == [
        "python: missing; install /opt/deploy/bin/python"
    ]


def test_libraries_are_looked_for_where_no_package_brings_them(tmp_path):
    seven = clouds.cloud(tmp_path, platform="el", release="ocata")
    assert request(seven, seven.node("controller"))["modules"] == ["openstack", "pymysql"]
    assert request(seven, seven.node("compute"))["modules"] == []
    for settings in ({"platform": "el", "release": "zed"}, {"release": "epoxy"}):
        cloud = clouds.cloud(tmp_path, **settings)
        assert request(cloud, cloud.node("controller"))["modules"] == []


# Disks.

EMPTY = {"path": "/dev/sdb", "block": True, "size": 20 << 30, "signatures": [], "children": [], "mounts": []}


@pytest.fixture
def disk(tmp_path):
    """A function: the line of a storage host's disk."""

    def disk(least=None, volumes=(), **state):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts["storage"][1]["required"] = {"volume_disk": least}
        cloud = clouds.cloud(tmp_path, hosts)
        found = {"lvm": True, "volumes": dict(volumes), "devices": {"/dev/sdb": {**EMPTY, **state}}}
        return row(disk_lines(cloud, cloud.node("storage"), found), "volume_devices")

    return disk


def test_a_spare_disk(disk):
    assert disk() == ("empty", "/dev/sdb: 20.0 GiB, empty", "ok", "")
    assert disk(20) == ("empty, 20 GiB", "/dev/sdb: 20.0 GiB, empty", "ok", "")
    mine = {"volumes": {"/dev/sdb": "cinder-volumes"}, "signatures": ["LVM2_member"]}
    assert disk(**mine)[1:3] == ("/dev/sdb: 20.0 GiB, in cinder-volumes", "ok")


def test_a_disk_that_is_too_small(disk):
    assert disk(21) == (
        "empty, 21 GiB", "/dev/sdb: 20.0 GiB", "refused",
        "required.volume_disk is 21 GiB: attach a larger disk, or ask for less",
    )  # fmt: skip


def test_a_disk_that_is_not_empty_or_not_there(disk):
    assert disk(signatures=["ext4"]) == (
        "empty",
        "/dev/sdb is not empty (signatures: ext4), and what is on it is not ours to destroy",
        "refused",
        "if nobody needs it, empty it yourself (wipefs --all /dev/sdb), otherwise change volume_devices",
    )
    assert disk(path="")[1:] == (
        "/dev/sdb does not exist", "refused", "correct volume_devices, or attach the disk",
    )  # fmt: skip
