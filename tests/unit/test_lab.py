"""The lab's pure parts. Its real hosts are tried by tests/lab."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab import cgroups, checks, command, guest, image, images, network, paths, ssh, status, uml
from lab.hosts import LABS, NSPAWN, UML
from lab.shell import LabError


@pytest.fixture(params=sorted(LABS))
def lab(request):
    return LABS[request.param]


def test_link_names_are_unique_and_fit_the_kernel(lab):
    links = [lab.bridge(net.name) for net in lab.networks]
    links += [lab.link(host, net) for host in lab.hosts for net in host.nics.values()]
    assert len(set(links)) == len(links)
    assert all(len(link) <= 15 for link in links)


def test_labs_can_run_side_by_side():
    for first, second in itertools.combinations(LABS.values(), 2):
        assert first.prefix != second.prefix
        assert not first.gateway.network.overlaps(second.gateway.network)


@pytest.mark.parametrize("name", ["debian13", "spare"])
def test_one_compute_host_has_a_kernel_that_can_attach_volumes(name):
    lab = LABS[name]
    computes = {host.name: host.kind for host in lab.hosts if host.name.startswith("compute")}
    assert set(computes.values()) == {NSPAWN, UML}


def test_hosts_stand_in_the_management_network(lab):
    names = {net.name for net in lab.networks}
    for host in lab.hosts:
        assert f"{host.address}/{lab.gateway.network.prefixlen}" != str(lab.gateway)
        assert lab.gateway.network.supernet_of(type(lab.gateway.network)(f"{host.address}/32"))
        assert next(iter(host.nics.values())) == lab.networks[0].name
        assert set(host.nics.values()) <= names
        assert host.name == lab.host(host.name).name


def test_bridge_address_is_local_unicast_and_differs():
    addresses = {network.mac(name) for name in ("lab-mgmt", "lab-prov", "lab-tun")}
    assert len(addresses) == 3
    assert all(re.fullmatch("02(:[0-9a-f]{2}){5}", address) for address in addresses)


def test_interface_address_is_stable():
    storage = LABS["debian13"].host("storage")
    assert uml.mac(storage, 0) == "52:00:0a:38:00:0d"
    assert uml.mac(storage, 1) == "52:01:0a:38:00:0d"


@pytest.mark.parametrize("name", ["debian13", "spare"])
def test_hosts_of_user_mode_linux_are_spread_over_the_processors(name):
    lab = LABS[name]
    alike = [host for host in lab.hosts if host.kind == UML]
    assert [uml.processor(lab, host, [3, 5]) for host in alike] == [3, 5]
    assert [uml.processor(lab, host, [7]) for host in alike] == [7, 7]


def test_network_unit_gives_the_first_interface_the_address():
    lab = LABS["debian13"]
    commands = [line for line in guest.network_unit(lab, lab.host("compute")).splitlines() if "Exec" in line]
    assert commands == [
        "ExecStart=/usr/sbin/ip link set host0 up",
        "ExecStart=/usr/sbin/ip address replace 10.56.0.12/24 dev host0",
        "ExecStart=/usr/sbin/ip link set prov0 up",
        "ExecStart=-/usr/sbin/ethtool -K prov0 tx off rx off",
        "ExecStart=/usr/sbin/ip link set tun0 up",
        "ExecStart=-/usr/sbin/ethtool -K tun0 tx off rx off",
    ]


def test_only_containers_leave_the_clock_alone():
    lab = LABS["debian13"]
    drop_in = "etc/systemd/system/chrony.service.d/lab.conf"
    for host in lab.hosts:
        files = guest.own(lab, host, "public", "private")
        assert (drop_in in files) == (host.kind == NSPAWN)
        assert files["etc/ssh/ssh_host_ed25519_key"].mode == 0o600


def test_hosts_have_different_machine_ids(lab):
    ids = {guest.own(lab, host, "", "")["etc/machine-id"].text for host in lab.hosts}
    assert len(ids) == len(lab.hosts)
    assert all(re.fullmatch("[0-9a-f]{32}\n", text) for text in ids)


def test_write_keeps_the_modes_of_the_layer_below(tmp_path):
    below, upper = tmp_path / "below", tmp_path / "upper"
    (below / "root").mkdir(parents=True)
    (below / "root").chmod(0o700)
    files = {
        "root/key": guest.File("secret", 0o600),
        "etc/unit": guest.File("/dev/null", link=True),
    }
    guest.write(upper, files, below=below)
    guest.write(upper, files, below=below)  # twice: a link is replaced too
    assert (upper / "root").stat().st_mode & 0o777 == 0o700
    assert (upper / "root/key").stat().st_mode & 0o777 == 0o600
    assert (upper / "etc/unit").readlink() == Path("/dev/null")


DEB822 = """\
Types: deb
# http://old.example.org/debian
URIs: http://mirror.example.org/debian/
Suites: bookworm
"""


@pytest.mark.parametrize(
    "text, ending, expected",
    [
        (DEB822, "debian", "http://mirror.example.org/debian"),
        ("deb http://a.example.org/debian-security b main\n", "debian-security", "http://a.example.org/debian-security"),
        ("deb https://a.example.org/debian bookworm main\n", "debian", "http://a.example.org/debian"),
        ("deb [arch=amd64] http://a.example.org/x/debian bookworm main\n", "debian", "http://a.example.org/x/debian"),
    ],
)  # fmt: skip
def test_archive_is_the_machines_own_without_encryption(text, ending, expected):
    assert images.archive([text], ending) == expected


@pytest.mark.parametrize(
    "text",
    ["deb http://a.example.org/debian-security b main\n", "#deb http://a.example.org/debian bookworm main\n"],
)
def test_a_machine_without_an_archive_is_told(text):
    with pytest.raises(LabError, match="apt's sources"):
        images.archive([text], "debian")


ADDRESSES = [
    {"ifname": "eth0", "addr_info": [{"family": "inet", "local": "10.56.7.8", "prefixlen": 16}]},
    {"ifname": "lab-mgmt", "addr_info": [{"family": "inet", "local": "10.56.0.1", "prefixlen": 24}]},
    {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
]
ROUTES = [
    {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
    {"dst": "10.56.0.0/24", "dev": "lab-mgmt"},
    {"dst": "10.56.0.128/25", "gateway": "192.0.2.9", "dev": "vpn0"},
    {"dst": "10.57.0.0/24", "dev": "vpn0"},
]


def test_addresses_that_others_use_are_named():
    wanted = LABS["debian13"].gateway.network
    assert checks.overlapping(wanted, {"lab-mgmt"}, ADDRESSES, ROUTES) == [
        "10.56.0.0/24 is taken: eth0 has 10.56.7.8/16",
        "10.56.0.0/24 is taken: a route to 10.56.0.128/25 leads to vpn0",
    ]


def test_a_command_enters_its_group_before_it_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "hierarchies", lambda: (tmp_path / "v2", tmp_path / "v1"))
    command = cgroups.command("lab/host", ["sleep", "1"])
    assert command[:2] == ["sh", "-c"]
    assert command[3:] == [
        "sh",
        f"{tmp_path}/v2/lab/host/cgroup.procs",
        f"{tmp_path}/v1/lab/host/cgroup.procs",
        "--",
        "sleep",
        "1",
    ]
    assert (tmp_path / "v2/lab/host").is_dir()


def test_members_are_counted_once_and_below_too(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "hierarchies", lambda: (tmp_path,))
    for group, text in (("lab/host", "12\n"), ("lab/host/payload", "34\n12\n"), ("lab/other", "56\n")):
        (tmp_path / group).mkdir(parents=True)
        (tmp_path / group / "cgroup.procs").write_text(text)
    assert cgroups.members("lab/host") == [12, 34]
    assert cgroups.members("lab/none") == []


@pytest.mark.parametrize(
    "seconds, expected", [(3.4, "3 s"), (59, "59 s"), (61, "1 min"), (3599, "60 min"), (9000, "2.5 h")]
)
def test_duration(seconds, expected):
    assert status.duration(seconds) == expected


def test_storage_is_the_one_with_a_kernel_and_a_disk():
    lab = LABS["debian13"]
    assert [host.name for host in lab.hosts if host.kind == UML and host.disk] == ["storage"]


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(paths, "RUN", tmp_path / "run")
    return tmp_path


def test_a_build_that_broke_off_is_made_again(state):
    def broken(folder):
        (folder / "half").touch()
        raise KeyboardInterrupt

    def whole(folder):
        assert not list(folder.iterdir())
        (folder / "whole").touch()

    with pytest.raises(KeyboardInterrupt):
        images.built("base", ["input"], broken)
    folder = images.built("base", ["input"], whole)
    assert [file.name for file in folder.iterdir()] == ["whole"]
    assert images.built("base", ["input"], broken) == folder  # complete: not built again


def test_a_build_replaces_what_no_host_stands_on(state):
    def build(folder):
        (folder / "upper").mkdir()

    first = images.built("base", ["first"], build)
    second = images.built("base", ["second"], build)
    other = images.built("base-disk", ["first"], build)
    assert not first.exists()
    (state / "run/host").mkdir(parents=True)
    (state / "run/host/lower").symlink_to(second / "upper")
    third = images.built("base", ["third"], build)
    assert second.exists() and third.exists() and other.exists()
    # Nor what a host of another lab stands on: they share the cache.
    (state / "run-zed/host").mkdir(parents=True)
    (state / "run-zed/host/lower").symlink_to(third / "upper")
    fourth = images.built("base", ["fourth"], build)
    assert third.exists() and fourth.exists()


@pytest.mark.parametrize(
    ("words", "chosen", "run"),
    [
        (["status"], "debian13", "run"),
        (["status", "zed"], "zed", "run-zed"),
        (["ssh", "spare"], "debian13", "run"),
        (["up", "el", "--real"], "el-real", "run-el-real"),
        (["up", "--real"], "el-real", "run-el-real"),
    ],
)
def test_a_lab_is_chosen_before_its_folder_is(words, chosen, run):
    program = (
        f"import sys; sys.argv[1:] = {words}\n"
        "from lab import __main__\n"
        "__main__.choose()\n"
        "from lab import hosts, paths\n"
        "print(next(name for name, lab in hosts.LABS.items() if lab is hosts.chosen()), paths.RUN.name)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENSTACK_LAB"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.split() == [chosen, run]


def test_a_lab_of_linux_bridges_has_one_network_for_all():
    lab = LABS["zed"]
    assert (lab.suite, lab.release) == ("bookworm", "zed")
    assert [(net.name, net.snooping) for net in lab.networks] == [("mgmt", False)]
    assert {host.kind for host in lab.hosts} == {NSPAWN}


def test_all_labs_have_the_same_image_and_known_hosts(state, monkeypatch):
    monkeypatch.setattr(paths, "SSH", state / "ssh")
    monkeypatch.setattr(ssh, "KEY", state / "ssh/id_ed25519")
    monkeypatch.setattr(ssh, "KNOWN_HOSTS", state / "ssh/known_hosts")
    ssh.prepare()
    known = [line.split()[0] for line in (state / "ssh/known_hosts").read_text().splitlines()]
    assert set(known) == {host.address for lab in LABS.values() for host in lab.hosts}
    assert len(known) == len(set(known))
    assert {path.parent.name.rpartition("-")[0] for path in image.parts().values()} == {"trixie-tiny"}


def test_a_command_waits_for_another_one(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path)
    monkeypatch.setattr(paths, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(command, "PATIENCE", 0)
    with command._alone():
        with pytest.raises(LabError, match="another command still works"), command._alone():
            pass
        monkeypatch.setattr(command, "PATIENCE", 60)
        slept = []
        monkeypatch.setattr(command, "_locked", lambda _: len(slept) == 2)
        monkeypatch.setattr(command.time, "sleep", slept.append)
        with command._alone():
            assert slept == [0.5, 0.5]
