"""EL hosts with stand-ins for OpenStack's programs: names, repositories, keys, merges, units, repetition.

EL 9 as today's clouds are built, EL 7 as the original install notes have it. What a pass does not prove is in
docs/lab.md. In the order in which an operator meets it: each test needs the ones before it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

import pytest
from conftest import ROOT, copied, killed_at, lab, on, pyinfra, totals
from conftest import sdk as ask_sdk

from lab.el import keys
from lab.el.repository import url
from lab.hosts import LABS

HOSTS = ("controller", "compute", "storage")
# On every host of both, made by the deploy and not by a package.
OURS = "openstack-bridges"


@dataclass(frozen=True)
class System:
    """A lab, and what its hosts must show.

    Attributes:
        lab: its name, which is the cloud's too.
        names: the list that was typed from the packages and the notes.
        system: what /etc/os-release calls it.
        repositories: the IDs that ``yum repolist`` shows.
    """

    lab: str
    names: str
    system: str
    repositories: set[str]

    @property
    def inventory(self) -> str:
        return f"lab/{self.lab}/inventory.py"


SYSTEMS = [
    System(
        "el",
        "el9",
        "CentOS Stream 9",
        {"baseos", "crb", "openstack-caracal", "centos-rabbitmq-38", "centos-nfv-openvswitch"},
    ),
    System("el7", "el7", "CentOS Linux 7 (Core)", {"base", "epel", "centos-openstack-liberty"}),
]


@pytest.fixture(scope="module", params=SYSTEMS, ids=lambda system: system.lab)
def system(request):
    """One lab after the other, each up as long as its tests last."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENSTACK_LAB", request.param.lab)
        lab("down", request.param.lab, check=True)
        lab("up", request.param.lab, check=True, timeout=1500)
        yield request.param
        lab("down", request.param.lab, check=True)


@pytest.fixture
def names(system):
    """host -> {"packages": […], "units": […], "files": {path: owner and mode}}, of the list."""
    names = tomllib.loads((ROOT / f"tests/golden/names/{system.names}.toml").read_text())
    found = {
        host: {
            "packages": [*names["packages"][host], *names["beside"][host]],
            "units": names["units"][host],
            "files": names["files"][host],
        }
        for host in names["hosts"]
    }
    if apart := names.get("apart"):
        # The notes' second host stores, too; here a third one does.
        moved = {*apart["packages"], *apart["units"], *apart["files"]} - set(apart["shared"])
        compute = found["compute"]
        compute["packages"] = [name for name in compute["packages"] if name not in moved]
        compute["units"] = [name for name in compute["units"] if name not in moved]
        compute["files"] = {path: how for path, how in compute["files"].items() if path not in moved}
        found["storage"] = {part: apart[part] for part in ("packages", "units", "files")}
    assert set(found) == set(HOSTS)
    return found


@pytest.fixture
def el9(system):
    if system.lab != "el":
        pytest.skip("once is enough: yum is the same on both")
    return system


def deploy(system, *arguments, **options):
    return pyinfra(*arguments, **{"inventory": system.inventory, **options})


def build(host, *packages):
    """What rpm says of packages, a line each."""
    return on(host, f"rpm -q --qf '%{{NAME}} %{{VERSION}}\\n' {' '.join(packages)} || :").splitlines()


def test_the_hosts_look_like_the_system(system):
    for host in HOSTS:
        assert f'PRETTY_NAME="{system.system}"' in on(host, "cat /etc/os-release").splitlines()
        assert on(host, "command -v yum rpm; command -v apt-get || :").split() == [
            "/usr/bin/yum",
            "/usr/bin/rpm",
        ]


def test_a_deploy(system):
    run = deploy(system, "deploy.py", "-y", timeout=1200)
    assert run.returncode == 0, run.output[-8000:]
    assert re.search(r"\n\s*\d+ checks, 0 failed", run.output)
    assert totals(run.output)["failed"] == 0


def test_a_second_run_changes_nothing(system):
    run = deploy(system, "deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]
    assert run.seconds < 60


def test_packages_have_the_names_of_the_list_and_the_labs_signature(system, names):
    signer = keys.fingerprint()[-16:].lower()
    for host in HOSTS:
        wanted = names[host]["packages"]
        shown = on(
            host, f"rpm -q --whatprovides --qf '%{{NAME}} %{{RSAHEADER:pgpsig}}\\n' {' '.join(wanted)}"
        )
        # What stands for Debian's base is in rpm's database only.
        unsigned = {line.split()[0] for line in shown.splitlines() if not line.lower().endswith(signer)}
        assert unsigned <= {"python3"}, shown


def test_units_of_the_list_run_since_their_first_start(system, names):
    for host in HOSTS:
        wanted = [*names[host]["units"], *([] if host == "storage" else [OURS])]
        shown = on(
            host,
            "systemctl show -p Id,LoadState,ActiveState,UnitFileState,NRestarts " + " ".join(wanted),
        )
        states = [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.split("\n\n")]
        assert len(states) == len(wanted)
        for state in states:
            assert (state["LoadState"], state["ActiveState"]) == ("loaded", "active"), state
            assert state["UnitFileState"] == "enabled", state
            # A socket has no such number.
            assert state.get("NRestarts", "0") == "0", state


def test_files_have_the_owner_and_the_mode_of_the_list(system, names):
    for host in HOSTS:
        files = names[host]["files"]
        shown = on(host, "stat -c '%n %U:%G %a' " + " ".join(files)).splitlines()
        assert shown == [f"{path} {attributes}" for path, attributes in files.items()]


def test_repositories_and_keys_are_as_declared(system):
    for host in HOSTS:
        listed = on(host, "yum -q repolist").splitlines()[1:]
        assert {line.split()[0] for line in listed} == system.repositories
        known = on(host, "rpm -q gpg-pubkey --qf '%{VERSION}\\n'").split()
        assert set(known) == {keys.fingerprint()[-8:].lower()}


def test_the_apis_know_every_host(system):
    found = ask_sdk(
        "up = [service for service in cloud.compute.services() if service.state == 'up']\n"
        "alive = [agent for agent in cloud.network.agents() if agent.is_alive]\n"
        "print(json.dumps({\n"
        "    'compute': sorted(f'{service.binary} {service.host}' for service in up),\n"
        "    'network': sorted(f'{agent.agent_type} {agent.host}' for agent in alive),\n"
        "    'types': sorted(service.type for service in cloud.identity.services()),\n"
        "}))",
        cloud=system.lab,
    )
    old = system.lab == "el7"
    extra = ["nova-cert controller", "nova-consoleauth controller"] if old else []
    assert found["compute"] == sorted(
        ["nova-compute compute", "nova-conductor controller", "nova-scheduler controller", *extra]
    )
    agents = ["DHCP agent", "Linux bridge agent", *(["Loadbalancer agent"] if old else []), "Metadata agent"]
    assert found["network"] == sorted(
        [*(f"{agent} controller" for agent in agents), "Linux bridge agent compute"]
    )
    volumes = ["volume", "volumev2"] if old else ["placement", "volumev3"]
    assert found["types"] == sorted(["compute", "identity", "image", "network", *volumes])


def test_what_stands_in_the_way_of_selinux_and_firewalld(system):
    """A kernel without SELinux is said and not failed; the notes' firewall is off, now and at boot."""
    run = deploy(system, "tasks/selinux.py", "-y", check=True)
    assert totals(run.output)["failed"] == 0
    state = on("controller", "systemctl is-active firewalld; systemctl is-enabled firewalld; :")
    assert state.split() == ["inactive", "disabled"]


def test_a_run_killed_between_the_write_and_the_restart_is_healed(system, tmp_path):
    """Not by what this run changes: by asking whether the service is older than its configuration."""
    inventory = copied(system.inventory, tmp_path)
    conf = "/etc/glance/glance-api.conf"
    choices = inventory.parent / "group_data/all.py"
    text = choices.read_text()
    override = f'\nconfig_overrides = {{"{conf}": {{"DEFAULT": {{"debug": %s}}}}}}\n'
    choices.write_text(text + override % "True")
    before = on("controller", "systemctl show -p MainPID openstack-glance-api")
    # The operation after the write, and before the restart.
    killed_at("tasks/glance.py", "Bring glance's schema to head", 0, inventory=inventory)
    assert "debug = true" in on("controller", f"cat {conf}").splitlines()
    assert on("controller", "systemctl show -p MainPID openstack-glance-api") == before
    again = pyinfra("tasks/glance.py", "-y", inventory=inventory, check=True)
    assert totals(again.output)["changed"] == 1, again.output
    assert on("controller", "systemctl show -p MainPID openstack-glance-api") != before
    choices.write_text(text + override % "None")
    back = pyinfra("tasks/glance.py", "-y", inventory=inventory, check=True)
    assert totals(back.output)["changed"] == 2, back.output


# What yum must refuse and what it must leave alone. Each run is one of its own, of the repositories' task and
# of a package that no role has.
TASK = """\
from pyinfra import host, local
from operations import packages
from tasks.context import cloud

local.include("tasks/repositories.py")
packages.installed(
    name="Install what the test wants",
    packages={packages},
    platform="el",
    versions=cloud.node(host).settings.package_versions,
)
"""


@pytest.fixture
def installing(el9, tmp_path):
    """A function: a run on the compute host with further settings, that installs packages."""

    def installing(*packages, settings="", limit="compute"):
        inventory = tmp_path / "inventory.py"
        if not inventory.exists():
            copied(el9.inventory, tmp_path)
            with (tmp_path / "group_data/all.py").open("a") as file:
                file.write(settings)
        task = tmp_path / "install.py"
        task.write_text(TASK.format(packages=list(packages)))
        return pyinfra(task, "-y", "--limit", limit, inventory=inventory)

    return installing


def repository(name, folder, signer="packages"):
    """Settings for one more repository of the lab, whose packages are to have a key's signature."""
    key = f"/etc/pki/rpm-gpg/RPM-GPG-KEY-lab-{signer}"
    declared = {"file": str(keys.public_key(signer)), "fingerprint": keys.fingerprint(signer)}
    return (
        f'\nyum_repositories = {{"{name}": {{"baseurl": "{url(LABS["el"])}/{folder}/", '
        f'"gpgkey": ["file://{key}"]}}}}\n'
        f'yum_keys["{key}"] = {declared}\n'
    )


def test_an_unsigned_package_is_refused(installing):
    run = installing("lab-unsigned", settings=repository("unsigned", "negative/unsigned"))
    assert run.returncode != 0
    assert "not signed" in run.output, run.output[-3000:]
    assert build("compute", "lab-unsigned") == ["package lab-unsigned is not installed"]


def test_a_strangers_signature_is_refused(installing):
    run = installing("lab-foreign", settings=repository("foreign", "negative/foreign"))
    assert run.returncode != 0
    assert "lab-foreign" in run.output
    assert build("compute", "lab-foreign") == ["package lab-foreign is not installed"]


def test_a_key_with_another_fingerprint_is_refused(installing):
    settings = repository("foreign", "negative/foreign", "foreign")
    wrong = settings.replace(keys.fingerprint("foreign"), keys.fingerprint()[::-1])
    run = installing("lab-foreign", settings=wrong)
    assert run.returncode != 0
    assert keys.fingerprint("foreign") in run.output, run.output[-3000:]
    assert keys.fingerprint()[::-1] in run.output
    known = on("compute", "rpm -q gpg-pubkey --qf '%{VERSION}\\n'").split()
    assert set(known) == {keys.fingerprint()[-8:].lower()}


def test_every_repository_that_does_not_answer_is_named(installing):
    key = "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-SIG-Cloud"
    addresses = {"gone": f"{url(LABS['el'])}/no/such/folder/", "silent": "http://10.60.0.1:9/"}
    declared = {name: {"baseurl": address, "gpgkey": [key]} for name, address in addresses.items()}
    settings = f"\nyum_repositories = {declared}\n"
    run = installing("lab-pinned", settings=settings)
    assert run.returncode != 0
    assert "nothing was installed" in run.output
    for name in ("gone", "silent"):
        assert re.search(rf"- {name} \(http", run.output), run.output[-3000:]


def test_a_package_that_is_nowhere_is_named(installing):
    run = installing("no-such-package")
    assert run.returncode != 0
    assert "no-such-package" in run.output
    # The run before has left repositories that are not declared any more.
    assert "silent" not in on("compute", "yum -q repolist")


def test_a_newer_build_is_not_installed(installing):
    before = build("controller", "memcached")
    run = installing("memcached", settings=repository("newer", "negative/newer"), limit="controller")
    assert run.returncode == 0, run.output[-3000:]
    assert "9.9.9" in on("controller", "yum -q list --showduplicates memcached")
    assert build("controller", "memcached") == before


def test_a_pinned_version_stays(installing):
    """Both versions are there, the newer one first; asked for twice, and with something else to install."""
    settings = repository("newer", "negative/newer") + repository("older", "negative/older").replace(
        "yum_repositories = {", "yum_repositories |= {"
    )
    settings += 'package_versions = {"lab-pinned": "1.0"}\n'
    run = installing("lab-pinned", settings=settings)
    assert run.returncode == 0, run.output[-3000:]
    assert build("compute", "lab-pinned") == ["lab-pinned 1.0"]
    again = installing("lab-pinned")
    assert totals(again.output)["changed"] == 0, again.output
    more = installing("lab-pinned", "lab-more")
    assert more.returncode == 0, more.output[-3000:]
    assert build("compute", "lab-pinned", "lab-more") == ["lab-pinned 1.0", "lab-more 1.0"]


def test_nothing_of_all_that_is_left(system):
    """The declared repositories again, and no change in a whole run."""
    deploy(system, "tasks/repositories.py", "-y", check=True)
    run = deploy(system, "deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]
    listed = on("compute", "yum -q repolist").splitlines()[1:]
    assert {line.split()[0] for line in listed} == system.repositories
