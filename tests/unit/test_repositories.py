"""Where an EL host's packages come from: choices, the operator's changes, and what is found against them."""

import clouds
import pytest
from pydantic import ValidationError

from cloud import inputs
from cloud.repositories import (
    KEYS,
    OSP10_KEYS,
    RDO_KEYS,
    YumKey,
    YumRepository,
    compare,
    fits,
    osp10,
    parse,
    problems,
    rdo,
    sources,
    warnings,
)

FINGERPRINT = "45BD1494A864C697DA44B49AC42EE0AC956AB135"
MINE = YumRepository(baseurl="http://192.168.56.1/mine/", gpgkey=[f"file://{KEYS}/RPM-GPG-KEY-mine"])
EL = {"platform": "el", "l2_agent": "linuxbridge", "self_service_networks": False}


def file(repositories):
    """A .repo file as the operation writes it."""
    parts = []
    for name, repository in repositories.items():
        options = {key: value for key, value in repository.options(name).items() if value is not None}
        parts.append(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options.items()))
    return "\n".join(parts)


# -- one repository, one key


def test_the_words_of_yum_conf():
    repository = YumRepository(
        baseurl=["http://a/$basearch/", "http://b/"], gpgkey=["file:///k"], priority=10, exclude=["x*", "y"]
    )
    assert repository.options("mine") == {
        "name": "mine",
        "baseurl": "http://a/$basearch/ http://b/",
        "mirrorlist": None,
        "metalink": None,
        "enabled": "1",
        "gpgcheck": "1",
        "gpgkey": "file:///k",
        "skip_if_unavailable": "0",
        "priority": "10",
        "exclude": "x* y",
    }


def test_of_somebody_elses_repository_only_what_is_said_is_set():
    assert YumRepository(enabled=False).options("epel") == {"enabled": "0"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"baseurl": "http://a/"}, "gpgcheck needs a gpgkey"),
        (
            {"baseurl": "http://a/", "metalink": "http://b/", "gpgcheck": False},
            "only one of baseurl, mirrorlist",
        ),
        ({"baseurl": "http://a/\nenabled=1", "gpgcheck": False}, "String should match pattern"),
        ({"baseurl": "http://a/", "gpgcheck": False, "name": "a\nb"}, "String should match pattern"),
        ({"baseurl": "/srv/a", "gpgcheck": False}, "String should match pattern"),
        ({"base_url": "http://a/"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_repository_is_refused(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        YumRepository(**fields)


def test_a_fingerprint_as_gpg_prints_it():
    key = YumKey(fingerprint="45bd 1494 a864 c697 da44  b49a c42e e0ac 956a b135")
    assert key.fingerprint == [FINGERPRINT]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"fingerprint": "C42EE0AC956AB135"}, "'C42EE0AC956AB135' is no fingerprint: that has 40"),
        ({"fingerprint": []}, "at least 1 item"),
        ({"fingerprint": 5}, "a fingerprint is a text of 40 hexadecimal digits"),
        ({"fingerprint": FINGERPRINT, "text": "x", "url": "https://a/b"}, "only one of file, text and url"),
        ({}, "Field required"),
    ],
)
def test_a_wrong_key_is_refused(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        YumKey(**fields)


# -- the choices


def test_rdo_on_el9():
    found = rdo("caracal")
    assert {name: repository.baseurl for name, repository in found.items()} == {
        "openstack-caracal": "https://mirror.stream.centos.org/SIGs/9-stream/cloud/$basearch/openstack-caracal/",
        "centos-rabbitmq-38": "https://mirror.stream.centos.org/SIGs/9-stream/messaging/$basearch/rabbitmq-38/",
        "centos-nfv-openvswitch": "https://mirror.stream.centos.org/SIGs/9-stream/nfv/$basearch/openvswitch-2/",
        "crb": None,
    }
    ours = [found[name] for name in list(found)[:3]]
    assert all(item.module_hotfixes and item.gpgcheck for item in ours)
    assert found["openstack-caracal"].gpgkey == ["file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-SIG-Cloud"]
    assert {place.removeprefix("file://") for item in ours for place in item.gpgkey} == set(RDO_KEYS)


def test_the_notes_twelve():
    found = osp10("ftp://192.168.1.254/")
    assert len(found) == 12
    assert found["centos7"].baseurl == "ftp://192.168.1.254/CentOS7/"
    assert len([name for name in found if name.startswith("rhel-7-server-")]) == 10
    assert found["rhel-7-server-openstack-10-rpms"].baseurl == (
        "ftp://192.168.1.254/RHEL7OSP-10/rhel-7-server-openstack-10-rpms/"
    )
    keys = {place.removeprefix("file://") for item in found.values() for place in item.gpgkey}
    assert keys == set(OSP10_KEYS)


@pytest.mark.parametrize(
    ("release", "choice", "packages", "enabled"),
    [
        (
            "liberty",
            "release-package",
            ["epel-release", "centos-release-openstack-liberty"],
            ["epel", "centos-openstack-liberty"],
        ),
        ("ocata", "release-package", ["centos-release-openstack-ocata"], ["centos-openstack-ocata"]),
        ("caracal", "rdo", [], ["openstack-caracal", "centos-rabbitmq-38", "centos-nfv-openvswitch", "crb"]),
    ],
)
def test_what_a_release_gets_by_itself(release, choice, packages, enabled):
    found = sources(release, packages=[f"centos-release-openstack-{release}"])
    assert (found.choice, found.packages, found.enabled) == (choice, packages, enabled)


def test_the_operators_own_win_by_id():
    found = sources(
        "caracal",
        repositories={
            "centos-rabbitmq-38": YumRepository(enabled=False),
            "centos-nfv-openvswitch": None,
            "crb": None,
            "mine": MINE,
        },
        mirror="http://192.168.56.1/centos",
    )
    assert found.enabled == ["openstack-caracal", "mine"]
    assert found.repositories["openstack-caracal"].url == (
        "http://192.168.56.1/centos/SIGs/9-stream/cloud/$basearch/openstack-caracal/"
    )
    # The keys of what is gone are not wanted any more.
    assert list(found.keys) == [f"{KEYS}/RPM-GPG-KEY-CentOS-SIG-Cloud"]


def test_none_is_only_the_operators_own():
    found = sources("ocata", "none", repositories={"mine": MINE}, packages=["centos-release-openstack-ocata"])
    assert (found.packages, found.enabled, found.keys) == ([], ["mine"], {})


def test_a_key_at_a_url_is_checked_once_and_named_by_its_file():
    url = "https://192.168.56.1/keys/RPM-GPG-KEY-mine"
    found = sources(
        "caracal",
        "none",
        repositories={"mine": MINE.model_copy(update={"gpgkey": [url]})},
        keys={url: YumKey(fingerprint=FINGERPRINT)},
    )
    path = f"{KEYS}/RPM-GPG-KEY-mine"
    assert found.keys == {path: YumKey(url=url, fingerprint=FINGERPRINT)}
    assert found.repositories["mine"].gpgkey == [f"file://{path}"]


# -- what is found


def test_what_was_written_is_found():
    wanted = sources("caracal", repositories={"mine": MINE})
    found = parse({"/etc/yum.repos.d/all.repo": "[main]\ngpgcheck=1\n" + file(wanted.repositories)})
    assert compare(wanted, found).text == "declared 5, enabled 5"
    assert compare(wanted, found).ok


def test_every_difference_is_named():
    wanted = sources("caracal", repositories={"mine": MINE})
    text = file({name: item for name, item in wanted.repositories.items() if name != "crb"})
    text = text.replace("gpgcheck = 1", "gpgcheck = no", 1) + "[baseos]\nmirrorlist=http://x/\n"
    comparison = compare(wanted, parse({"/etc/yum.repos.d/all.repo": text}))
    assert comparison.text == (
        "declared 5, enabled 5; not enabled: crb; gpgcheck off: openstack-caracal; not declared: baseos"
    )
    assert not comparison.ok


def test_yums_own_defaults():
    repos = "[a]\n[b]\nenabled=0\n[c]\ngpgcheck=0\n%wrong = 5%\n"
    found = parse({"/etc/yum.conf": "[main]\ngpgcheck=1\n", "/etc/yum.repos.d/x.repo": repos})
    assert {name: (item.enabled, item.gpgcheck) for name, item in found.items()} == {
        "a": (True, True),
        "b": (False, True),
        "c": (True, False),
    }
    assert not parse({"/etc/yum.repos.d/x.repo": "[a]\n"})["a"].gpgcheck


def test_of_an_id_that_comes_twice_the_first_counts():
    found = parse({"/etc/yum.repos.d/a.repo": "[x]\nenabled=0\n", "/etc/yum.repos.d/b.repo": "[x]\n"})
    assert (found["x"].file, found["x"].enabled) == ("/etc/yum.repos.d/a.repo", False)


def test_a_file_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"^/etc/yum.repos.d/a.repo can't be read: File contains no section"):
        parse({"/etc/yum.repos.d/a.repo": "enabled=1\n"})


def test_epel_beside_rdo():
    found = parse({"/etc/yum.repos.d/epel.repo": "[epel]\n[epel-testing]\nenabled=0\n"})
    assert list(map(str, warnings(sources("caracal"), found))) == [
        "EPEL is enabled beside RDO (epel): its newer libraries break RDO's packages; "
        "yum_repositories = {'epel': {'enabled': False}} switches it off"
    ]
    assert warnings(sources("liberty"), found) == []
    assert warnings(sources("caracal", repositories={"epel": YumRepository()}), found) == []


def test_before_the_first_run():
    bare = parse({"/etc/yum.repos.d/centos.repo": "[baseos]\n[crb]\nenabled=0\n"})
    assert problems(sources("caracal"), bare) == []
    assert problems(sources("liberty", repositories={"epel": YumRepository()}), bare) == []
    assert list(map(str, problems(sources("caracal"), {}))) == [
        "yum_repositories: crb has no address, and no file of the host has a repository of that name; "
        "give it a baseurl, or take it away with {'crb': None}"
    ]
    assert problems(sources("caracal", "none"), bare) == []
    assert list(map(str, problems(sources("caracal", "none"), {}))) == [
        "package_source is 'none', and the host has no enabled repository; prepare it, or declare some in "
        "yum_repositories"
    ]


@pytest.mark.parametrize(
    ("pin", "build", "yes"),
    [
        ("29.2.0", "1:29.2.0-1.el9", True),
        ("29.2.0-1.el9", "1:29.2.0-1.el9", True),
        ("1:29.2.0", "1:29.2.0-1.el9", True),
        ("1:29.2.0-1.el9", "1:29.2.0-1.el9", True),
        ("29.2", "1:29.2.0-1.el9", False),
        ("0:29.2.0", "1:29.2.0-1.el9", False),
        ("29.2.0-2.el9", "1:29.2.0-1.el9", False),
    ],
)
def test_a_pin(pin, build, yes):
    assert fits(pin, build) is yes


# -- the inventory


def test_debian_hosts_have_none_and_el_hosts_no_apt_source(tmp_path):
    source = {"uris": ["https://a/"], "suites": ["trixie"], "signed_by": "/usr/share/keyrings/a.gpg"}
    cloud = clouds.cloud(tmp_path, apt_sources={"mine": source}, yum_repositories={"mine": MINE.model_dump()})
    assert not cloud.sources("controller").repositories
    assert list(cloud.apt_sources("controller")) == ["mine"]
    cloud = clouds.cloud(
        tmp_path, clouds.OLDER_HOSTS, apt_sources={"mine": source}, **{**EL, "release": "ocata"}
    )
    assert cloud.sources("controller").packages == ["centos-release-openstack-ocata"]
    assert not cloud.apt_sources("controller")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"package_source": "osp10"}, "package_source 'osp10' needs yum_mirror"),
        ({"yum_mirror": "/srv"}, "yum_mirror: String should match pattern"),
        ({"yum_repositories": {"a b": None}}, "String should match pattern"),
        (
            {"yum_keys": {"/root/key": {"fingerprint": FINGERPRINT}}},
            "'/root/key' is no file in /etc/pki/rpm-gpg",
        ),
        (
            {"yum_keys": {f"{KEYS}/a": {"fingerprint": FINGERPRINT, "file": "/nonexistent"}}},
            f"yum_keys: {KEYS}/a: /nonexistent can't be read",
        ),
        (
            {"yum_keys": {f"{KEYS}/a": {"fingerprint": FINGERPRINT, "text": "hello"}}},
            "that is no armoured public key",
        ),
        ({"package_versions": {"chrony": "1 2"}}, "chrony = 1 2 is no name of a package with a version"),
    ],
)
def test_what_the_inventory_can_not_have(tmp_path, settings, problem):
    with pytest.raises(inputs.InputError) as error:
        clouds.cloud(tmp_path, clouds.OLDER_HOSTS, **{**EL, "release": "ocata", **settings})
    assert problem in str(error.value)


def test_pins_are_for_el(tmp_path):
    with pytest.raises(inputs.InputError, match="package_versions: only EL hosts hold to them"):
        clouds.cloud(tmp_path, package_versions={"chrony": "4.5"})
