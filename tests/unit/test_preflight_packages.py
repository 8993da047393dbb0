"""Where a host's packages would come from, and whose keys it knows."""

import copy
from dataclasses import replace

import clouds
import pytest
from states import GOOD, problems, row

from cloud.preflight import request
from cloud.preflight_packages import apt_lines, yum_lines
from cloud.repositories import RDO_KEYS

BASE = "[baseos]\n[appstream]\n[crb]\nenabled=0\n"
RDO = [fingerprint for key in RDO_KEYS.values() for fingerprint in key.fingerprint]
OWN = {"package_source": "none"}


@pytest.fixture
def el(tmp_path):
    """A function: the lines of an EL controller with these files of yum."""

    def el(files=BASE, keys=(), imported=(), required=None, **settings):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts["controller"][1]["required"] = {"repositories": required}
        cloud = clouds.cloud(tmp_path, hosts, **{"platform": "el", "release": "caracal", **settings})
        yum = {"files": {"/etc/yum.repos.d/a.repo": files}, "keys": dict(keys), "imported": list(imported)}
        return yum_lines(cloud, cloud.node("controller"), yum)

    return el


def test_before_the_first_deploy(el):
    new = "openstack-caracal, centos-rabbitmq-38, centos-nfv-openvswitch, crb"
    lines = el()
    assert row(lines, "repositories") == (
        "6", "2: baseos, appstream", "will be set", f"the deploy adds {new}",
    )  # fmt: skip
    assert row(lines, "package keys") == (
        "3 imported", "0 of 3 imported", "will be set", f"the deploy imports {', '.join(RDO)}",
    )  # fmt: skip


def test_after_it(el):
    ours = "[openstack-caracal]\n[centos-rabbitmq-38]\n[centos-nfv-openvswitch]\n"
    lines = el(BASE.replace("enabled=0", "enabled=1") + ours, imported=RDO)
    assert row(lines, "repositories")[::2] == ("6", "ok")
    assert row(lines, "package keys") == ("3 imported", "3 of 3 imported", "ok", "")


def test_the_twelve_of_the_original_install_notes(el):
    """Declared by one setting, or there already."""
    discs = {"package_source": "osp10", "yum_mirror": "http://192.168.1.254", "release": "ocata"}
    line = row(el("", required=12, keys={}, **discs), "repositories")
    assert line[:3] == ("12", "none is enabled", "will be set")
    there = "".join(f"[r{number}]\n" for number in range(12))
    assert row(el(there, required=12, **OWN), "repositories")[::2] == ("12", "ok")
    assert row(el(there, required=13, **OWN), "repositories")[2:] == (
        "refused",
        "required.repositories is 13: enable what is missing, declare it, or ask for less",
    )


def test_one_that_is_declared_off(el):
    off = {**OWN, "yum_repositories": {"appstream": {"enabled": False}}}
    assert row(el(**off), "repositories") == (
        "1", "2: baseos, appstream", "will be set", "the deploy switches appstream off",
    )  # fmt: skip


def test_repositories_that_can_not_be_had(el):
    assert problems(el("", **OWN)) == [
        "repositories: package_source is 'none', and the host has no enabled repository; prepare it, or "
        "declare some in yum_repositories"
    ]
    (problem,) = problems(el("[baseos]\n"))
    assert "crb has no address" in problem
    assert problems(el("enabled=1\n"))[0].startswith("repositories: can't be read: /etc/yum.repos.d/a.repo")


def test_epel_beside_rdo(el):
    (line,) = (line for line in el(BASE + "[epel]\n") if line.verdict == "warning")
    assert (line.check, line.wanted) == ("repositories", "no EPEL beside RDO")
    assert line.cure == "yum_repositories = {'epel': {'enabled': False}} switches it off"


def test_keys_that_nobody_declared(el):
    assert row(el(**OWN), "package keys") == (
        "any", "0 imported", "warning",
        "yum would trust what the repositories name: import their keys, or declare them in yum_keys",
    )  # fmt: skip
    assert row(el(**OWN, imported=["A" * 40]), "package keys") == ("any", "1 imported", "ok", "")


PLACE = "/etc/pki/rpm-gpg/RPM-GPG-KEY-mine"
MINE, OTHER = "AB" * 20, "CD" * 20


def test_a_key_that_the_host_is_to_have(el):
    declared = {**OWN, "yum_keys": {PLACE: {"fingerprint": MINE}}}
    assert row(el(**declared, keys={PLACE: [MINE]}), "package keys")[2] == "will be set"
    assert problems(el(**declared)) == [
        f"package keys: {PLACE} is not there; give it a file, text or url in yum_keys, or install what "
        "brings it"
    ]
    assert problems(el(**declared, keys={PLACE: [OTHER]})) == [
        f"package keys: {PLACE} has the fingerprint {OTHER}; {MINE} is declared: find out which is right"
    ]
    # It is fetched then.
    fetched = {**OWN, "yum_keys": {PLACE: {"fingerprint": MINE, "url": "http://192.168.1.254/key"}}}
    assert row(el(**fetched, keys={PLACE: [OTHER]}), "package keys")[2] == "will be set"
    # A release package may bring it.
    brought = {"release": "train", "yum_keys": {PLACE: {"fingerprint": MINE}}}
    assert row(el(**brought), "package keys")[2] == "will be set"


# Debian.

SOURCE = {"uris": ["http://mine.example/"], "suites": ["trixie"], "signed_by": "/etc/apt/keyrings/mine.asc"}


@pytest.fixture
def debian(tmp_path):
    """A function: the lines of a Debian controller, and what is asked about files there."""

    def debian(required=None, sources=None, **state):
        hosts = copy.deepcopy(clouds.HOSTS)
        hosts["controller"][1]["required"] = {"repositories": required}
        cloud = clouds.cloud(tmp_path, hosts, apt_sources=sources or {})
        node = cloud.node("controller")
        return apt_lines(cloud, node, replace(GOOD, **state)), request(cloud, node)["files"]

    return debian


def test_debians_own_sources(debian):
    lines, files = debian()
    found = "2: mirror.example trixie, mirror.example trixie-updates"
    assert row(lines, "repositories") == ("2", found, "ok", "")
    assert (len(lines), files) == (1, [])
    assert row(debian(3)[0], "repositories")[::2] == ("3", "refused")


def test_a_source_of_the_operators_own(debian):
    lines, files = debian(3, {"mine": SOURCE})
    assert row(lines, "repositories")[2:] == ("will be set", "the deploy adds mine.example trixie")
    assert row(lines, "package keys") == (SOURCE["signed_by"], SOURCE["signed_by"], "ok", "")
    assert files == [SOURCE["signed_by"]]
    lines, _ = debian(sources={"mine": SOURCE}, absent=(SOURCE["signed_by"],))
    assert problems(lines) == [
        "package keys: /etc/apt/keyrings/mine.asc is not there; put the key of apt_sources' mine there, or "
        "correct signed_by"
    ]


def test_no_source_at_all(debian):
    assert problems(debian(apt={})[0]) == [
        "repositories: none is enabled; no package could be installed: add a source to the host, or declare "
        "some in apt_sources"
    ]
    # Its packages are there: an image brought them.
    assert row(debian(apt={}, installed=True)[0], "repositories") == ("0", "none is enabled", "ok", "")
