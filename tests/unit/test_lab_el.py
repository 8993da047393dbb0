"""The EL labs' packages: complete, and named as the lists that were typed from the real ones."""

import re
import tomllib
from pathlib import Path

import pytest

from lab.el import dress, infrastructure, repository, rpm
from lab.hosts import LABS

NAMES = Path(__file__).parents[1] / "golden" / "names"
LISTS = {"el": "el9", "el7": "el7"}


@pytest.fixture(params=sorted(LISTS))
def lab(request):
    return LABS[request.param]


@pytest.fixture
def packages(lab, monkeypatch, tmp_path):
    """name -> package, of all repositories that hosts use."""
    key = tmp_path / "packages.asc"
    key.write_text("a key\n")
    monkeypatch.setattr(repository.keys, "public_key", lambda: key)
    listed = [
        package
        for served in repository.repositories(lab)
        if not served.folder.startswith("negative/")
        for package in served.packages
    ]
    assert len({package.name for package in listed}) == len(listed)
    return {package.name: package for package in listed}


@pytest.fixture
def names(lab):
    listed = {name for name in LABS if LABS[name] is lab}.pop()
    return tomllib.loads((NAMES / f"{LISTS[listed]}.toml").read_text())


def test_every_package_of_the_list_is_served(packages, names):
    provided = {*packages, *(name for package in packages.values() for name in package.provides)}
    provided |= set(infrastructure.BASE)
    for part in ("packages", "beside"):
        for host, wanted in names[part].items():
            assert set(wanted) <= provided, host


def test_every_unit_of_the_list_is_in_a_package(packages, names):
    units = {unit for package in packages.values() for unit in package.units}
    wanted = {
        unit if "." in unit else f"{unit}.service" for listed in names["units"].values() for unit in listed
    }
    assert wanted <= units


def test_what_units_start_is_in_a_package_or_in_the_root(packages):
    """Debian's programs lie in the root: these are the ones that infrastructure's units start."""
    root = {
        "/usr/sbin/chronyd", "/usr/sbin/mariadbd", "/usr/bin/memcached", "/usr/sbin/rabbitmq-server",
        "/usr/bin/install", "/usr/bin/targetctl", "/usr/bin/sleep",
    }  # fmt: skip
    files = {path for package in packages.values() for path in package.files}
    for package in packages.values():
        for path, file in package.files.items():
            if path.startswith(rpm.UNITS):
                started = re.findall(r"(?m)^Exec(?:Start|StartPre)=(\S+)", file.text)
                assert set(started) <= files | root, path


def test_every_requirement_is_provided(packages):
    provided = {*packages, *(name for package in packages.values() for name in package.provides)}
    for package in packages.values():
        assert set(package.requires) <= provided, package.name


def test_no_two_packages_have_the_same_file(packages):
    seen = {}
    for package in packages.values():
        for path in (*package.files, *package.links):
            assert seen.setdefault(path, package.name) == package.name, path


def test_owners_of_files_have_an_account(packages):
    accounts = {account.name for package in packages.values() for account in package.accounts}
    for package in packages.values():
        owners = {name for file in package.files.values() for name in (file.user, file.group)}
        owners |= {name for _, *pair in package.directories.values() for name in pair}
        assert owners <= accounts | {"root"}, package.name


def test_a_spec():
    package = rpm.Rpm(
        "a",
        "2.0",
        files={"/etc/a.conf": rpm.Text("", "0640", "root", "a"), f"{rpm.UNITS}/a.service": rpm.Text("")},
        directories={"/var/lib/a": ("0750", "a", "a")},
        links={"/etc/b": "a.conf"},
        accounts=(rpm.Account("a", 900, "/var/lib/a"),),
        requires=("b",),
        provides=("c",),
    )
    text = rpm.spec([package], "1.el9")
    lines = text.splitlines()
    assert "Release: 1.el9" in lines
    for line in (
        "%package -n a",
        "Version: 2.0",
        "AutoReqProv: no",
        "Requires: b",
        "Provides: c",
        "%pre -n a",
        "if [ $1 -eq 0 ]; then systemctl --no-reload disable --now a.service >/dev/null 2>&1 || :; fi",
        '%config(noreplace) %attr(0640,root,a) "/etc/a.conf"',
        '%attr(0644,root,root) "/usr/lib/systemd/system/a.service"',
        '%dir %attr(0750,a,a) "/var/lib/a"',
        '"/etc/b"',
    ):
        assert line in lines, line


def test_a_dressed_root_says_what_it_is_to_everyone_who_asks():
    files = dress.files("9", "http://10.60.0.1:8090", "a key\n")
    assert 'VERSION_ID="9"' in files["usr/lib/os-release"].text.splitlines()
    assert files["etc/redhat-release"].link
    assert files["etc/rpm/macros"].text == "%_dbpath /var/lib/rpm\n%dist .el9\n"
    own = files["etc/yum.repos.d/centos.repo"].text
    assert re.findall(r"(?m)^\[(.*)\]$", own) == ["baseos", "crb"]
    assert re.findall(r"(?m)^enabled=(.)$", own) == ["1", "0"]
