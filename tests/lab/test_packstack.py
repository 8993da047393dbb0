"""A cloud that packstack builds, on the EL lab: its own code, a stand-in for the long installation alone.

In the order in which an operator meets it, with everything that may come between: each test needs the ones
before it.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
import tomllib

import pytest
from conftest import PYINFRA, ROOT, ProcessTable, killed_at, lab, on, pyinfra, totals, until

from cloud import packstack

TASK = "tasks/packstack.py"
FOLDER = "/var/lib/openstack-packstack"
LOG = "/var/log/openstack-packstack.log"
VHOST = "/etc/httpd/conf.d/15-horizon_vhost.conf"
# The original install notes' own.
TEN = {
    "CONFIG_DEFAULT_PASSWORD": "SmartLyu",
    "CONFIG_SWIFT_INSTALL": "n",
    "CONFIG_NTP_SERVERS": "192.168.1.254",
    "CONFIG_CINDER_VOLUMES_CREATE": "n",
    "CONFIG_NEUTRON_ML2_TYPE_DRIVERS": "flat,vxlan",
    "CONFIG_NEUTRON_ML2_VXLAN_GROUP": "239.1.1.5",
    "CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS": "physnet1:br-ex",
    "CONFIG_NEUTRON_OVS_BRIDGE_IFACES": "br-ex:eth0",
    "CONFIG_NEUTRON_OVS_TUNNEL_IF": "eth1",
    "CONFIG_PROVISION_DEMO": "n",
}
BESIDE = {"CONFIG_COMPUTE_HOSTS": "10.60.0.11,10.60.0.12", "CONFIG_NEUTRON_L2_AGENT": "openvswitch"}
# Where a run is met in the middle.
MIDDLE = "Preparing Neutron API entries"


@pytest.fixture(scope="module", autouse=True)
def hosts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENSTACK_LAB", "el")
        lab("down", "el", check=True)
        lab("up", "el", check=True, timeout=1500)
        route()
        orders()
        yield
        lab("down", "el", check=True)


@pytest.fixture(scope="module")
def inventory(tmp_path_factory):
    """A copy of the lab's inventory, with the notes' password in its secrets; tests change it."""
    folder = tmp_path_factory.mktemp("packstack")
    shutil.copytree(ROOT / "lab/packstack/group_data", folder / "group_data")
    shutil.copy(ROOT / "lab/packstack/inventory.py", folder)
    secret(folder / "inventory.py", TEN["CONFIG_DEFAULT_PASSWORD"])
    return folder / "inventory.py"


def secret(inventory, value):
    path = inventory.with_name("secrets.toml")
    path.touch(mode=0o600)
    path.write_text(f'CONFIG_DEFAULT_PASSWORD = "{value}"\n')


def declare(inventory, text):
    with (inventory.parent / "group_data/all.py").open("a") as file:
        file.write(f"\n{text}\n")


def route():
    """packstack finds its own address by the default route, which the lab's hosts do not have."""
    on("controller", "ip route replace default via 10.60.0.1")


def orders(**wanted):
    """Tell the stand-in how it goes."""
    text = json.dumps({"seconds": 0.02, **wanted})
    on("controller", f"cat >/root/stand-in.json <<'END'\n{text}\nEND")


def content(path):
    """A file of the controller, byte for byte."""
    return lab("ssh", "controller", f"base64 -w0 {path}", check=True).stdout.strip()


def answers(name="/root/answer.ini"):
    return packstack.parse(on("controller", f"tr -d '\\0' <{name}"))


def runs():
    """How often packstack has been started, by the folders that each run makes."""
    return int(on("controller", "ls -d /var/tmp/packstack/2* | wc -l"))


def active():
    return "ActiveState=active" in on("controller", "systemctl show -p ActiveState openstack-packstack")


def run(inventory, *arguments, limit="controller", **options):
    limited = ["--limit", limit] if limit else []
    return pyinfra(TASK, "-y", *limited, *arguments, inventory=inventory, **options)


def started(inventory):
    """A deploy in the background, once packstack is at its slow step."""
    process = subprocess.Popen(
        [PYINFRA, inventory, TASK, "-y", "--limit", "controller"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until("packstack runs", 60, active, pause=0.2)
    time.sleep(2)
    return process


def again():
    """Have the next deploy run packstack anew."""
    on("controller", f"rm -f {FOLDER}/done")


def leaks(text):
    """The names of the secrets in a text: the declared one, and all that packstack has made."""
    found = {}
    for name in ("/root/answer.ini", f"{FOLDER}/resolved"):
        found |= {key: value for key, value in answers(name).items() if packstack.is_secret(key)}
    found["CONFIG_DEFAULT_PASSWORD"] = TEN["CONFIG_DEFAULT_PASSWORD"]
    return [
        name for name, value in found.items() if value not in ("", packstack.PLACEHOLDER) and value in text
    ]


@pytest.fixture(scope="module")
def generated(inventory, tmp_path_factory):
    """The answer file as packstack made it, by the task's own operation."""
    task = tmp_path_factory.mktemp("task") / "generate.py"
    task.write_text(
        "from operations import packstack\n"
        "packstack.generated(name='Let packstack generate its answer file', path='/root/answer.ini')\n"
    )
    # What a killed one leaves.
    on("controller", "printf '[general]\\nCONFIG_SSH' >/root/answer.ini.pyinfra-new")
    tasks = ["tasks/repositories.py", "tasks/packages.py", task]
    pyinfra(*tasks, "-y", "--limit", "controller", inventory=inventory, check=True)
    assert on("controller", "stat -c '%a %U' /root/answer.ini; ls /root/answer.ini*").split() == [
        "600",
        "root",
        "/root/answer.ini",
    ]
    return content("/root/answer.ini")


def test_a_deploy_that_is_killed_before_the_run(inventory, generated):
    killed_at(TASK, "Read the key", 0, "--limit", "controller", inventory=inventory)
    assert not active()
    assert on("controller", f"ls {FOLDER} 2>/dev/null || :") == ""
    assert TEN.items() <= answers().items()


def test_the_first_run(inventory, generated):
    with ProcessTable() as table:
        done = run(inventory, "--diff", "-vvv", limit=None)
    assert done.returncode == 0, done.output[-6000:]
    assert "packstack runs: it has not run yet" in done.output
    assert re.search(r"packstack, 0:\d\d: ", done.output)
    assert leaks(done.output) == []
    assert leaks("\n".join(table.lines)) == []
    assert any("--answer-file" in line for line in table.lines)
    assert "cinder-volumes" in on("storage", "vgs --noheadings -o vg_name")
    for host, names in {
        "controller": "qemu-kvm libvirt-daemon-driver-qemu python3-setuptools openstack-packstack",
        "compute": "qemu-kvm libvirt-client libvirt-daemon libvirt-daemon-driver-qemu python3-setuptools",
        "storage": "lvm2",
    }.items():
        on(host, f"rpm -q {names}")


def test_the_answers_are_in_the_file_and_nothing_else_is_changed(generated):
    lines = base64.b64decode(generated).decode().split("\n")
    wanted = TEN | BESIDE
    for number, line in enumerate(lines):
        name = line.partition("=")[0]
        if name in wanted:
            lines[number] = f"{name}={wanted.pop(name)}"
    assert not wanted
    assert base64.b64decode(content("/root/answer.ini")).decode() == "\n".join(lines)
    shown = on("controller", f"stat -c '%a %U %n' /root/answer.ini {FOLDER}/* {LOG} /root/admin-openrc.sh")
    assert {line.split()[0] for line in shown.splitlines()} == {"600"}
    assert {line.split()[1] for line in shown.splitlines()} == {"root"}


def test_what_packstack_leaves_is_put_in_order():
    text = on("controller", f"cat {VHOST}")
    assert text.count("WSGIApplicationGroup") == 1
    assert "  WSGIProcessGroup apache\n  WSGIApplicationGroup %{GLOBAL}\n" in text
    login = ". /root/admin-openrc.sh; echo $OS_USERNAME $OS_PASSWORD $OS_AUTH_URL"
    password = answers()["CONFIG_KEYSTONE_ADMIN_PW"]
    assert on("controller", login).split() == ["admin", password, "http://10.60.0.11:5000/v3"]


def test_a_second_run_changes_nothing(inventory):
    before = runs()
    done = run(inventory, limit=None)
    assert totals(done.output)["changed"] == 0, done.output[-6000:]
    told = run(inventory, "--json")
    assert json.loads(told.stdout)["results"]["failed_hosts"] == []
    assert leaks(told.output) == []
    assert runs() == before


def test_an_option_that_the_file_does_not_have(inventory):
    before = runs()
    kept = (inventory.parent / "group_data/all.py").read_text()
    declare(inventory, 'packstack_answers["CONFIG_NTP_SERVER"] = "192.0.2.1"')
    done = run(inventory)
    assert done.returncode != 0
    assert "has no option CONFIG_NTP_SERVER; the nearest one is CONFIG_NTP_SERVERS" in done.output
    (inventory.parent / "group_data/all.py").write_text(kept)
    assert runs() == before


def test_changed_answers_are_named(inventory):
    # The second one belongs to OVN, which the answers leave out.
    declare(inventory, 'packstack_answers["CONFIG_NTP_SERVERS"] = "192.0.2.1,192.0.2.2"')
    declare(inventory, 'packstack_answers["CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS"] = "physnet1:br-ex"')
    secret(inventory, "An0ther'$one % #")
    before = runs()
    made = answers(f"{FOLDER}/resolved")
    done = run(inventory, "--diff", "-vvv")
    assert done.returncode == 0, done.output[-6000:]
    said = next(line for line in done.output.splitlines() if "packstack runs: " in line)
    assert said.endswith(
        "answers have changed since it succeeded: CONFIG_DEFAULT_PASSWORD, CONFIG_NTP_SERVERS, "
        "CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS"
    )
    assert re.search(
        r"other values than the declared ones of CONFIG_NEUTRON_OVN_BRIDGE_MAPPINGS:", done.output
    )
    assert leaks(done.output) == []
    assert runs() == before + 1
    now = answers()
    assert now["CONFIG_DEFAULT_PASSWORD"] == "An0ther'$one % #"
    # What packstack has made for a placeholder is what it goes on with.
    placeholders = [name for name, value in now.items() if value == packstack.PLACEHOLDER]
    assert placeholders
    after = answers(f"{FOLDER}/resolved")
    assert {name: made[name] for name in placeholders} == {name: after[name] for name in placeholders}
    assert on("controller", f"grep -c WSGIApplicationGroup {VHOST}").strip() == "1"


def test_a_failed_run_is_run_again(inventory):
    again()
    orders(fail=MIDDLE)
    done = run(inventory)
    assert done.returncode != 0
    assert re.search(r"packstack failed after 0:\d\d\. Its last words:", done.output), done.output[-4000:]
    assert "mysql --password=********" in done.output
    assert LOG in done.output
    assert leaks(done.output) == []
    # Nothing after it was done, and the failure is known after a boot, too.
    assert (
        "Horizon"
        not in done.output.partition("Its last words")[2].partition("Results")[0].split("Starting")[0]
    )
    on("controller", "systemctl reset-failed openstack-packstack")
    orders()
    done = run(inventory)
    assert done.returncode == 0, done.output[-6000:]
    assert "packstack runs: the last run failed" in done.output


def test_a_lost_connection_interrupts_nothing(inventory):
    again()
    before = runs()
    orders(slow={MIDDLE: 8})
    process = started(inventory)
    on("controller", "for pid in $(pgrep -f '^sshd: root@notty'); do [ $pid = $PPID ] || kill $pid; done")
    assert active()
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said[-6000:]
    assert "Connected" in said.partition("Starting operation: Run packstack")[2]
    assert runs() == before + 1


def test_a_killed_deploy_interrupts_nothing(inventory):
    again()
    before = runs()
    killed_at(TASK, "Run packstack", 3, "--limit", "controller", inventory=inventory)
    assert active()
    done = run(inventory)
    assert done.returncode == 0, done.output[-6000:]
    assert re.search(r"packstack has been running for 0:\d\d: followed from here on", done.output)
    assert runs() == before + 1


def test_nothing_is_done_after_a_boot(inventory):
    lab("stop", "controller", check=True)
    lab("start", "controller", check=True)
    done = run(inventory)
    assert totals(done.output)["changed"] == 0, done.output[-6000:]


def test_power_that_fails_in_the_middle(inventory):
    route()
    again()
    process = started(inventory)
    lab("stop", "controller", "--hard", check=True)
    lab("start", "controller", check=True)
    said, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert re.search(r"packstack was cut off after 0:\d\d\.", said), said[-4000:]
    route()
    orders()
    done = run(inventory)
    assert done.returncode == 0, done.output[-6000:]
    assert "packstack runs: the last run was cut off before its end" in done.output


def test_deploy_is_refused(inventory):
    done = pyinfra("deploy.py", "-y", inventory=inventory)
    assert done.returncode != 0
    assert "deploy.py would build over what packstack has built" in done.output
    assert "Connecting" not in done.output


def test_verify(inventory):
    """The cloud is the one that the lab's deploy makes of stand-ins: packstack's has no OpenStack here."""
    pyinfra("deploy.py", "-y", inventory="lab/el/inventory.py", timeout=1200, check=True)
    password = tomllib.loads((ROOT / "lab/el/secrets.toml").read_text())["admin_password"]
    again()
    orders(admin={"url": "http://10.60.0.11:5000/v3", "password": password})
    assert run(inventory).returncode == 0
    done = pyinfra("tasks/verify.py", "-y", inventory=inventory)
    assert done.returncode == 0, done.output[-8000:]
    assert re.search(r"\n\s*\d+ checks, 0 failed", done.output)
    for section in ("Compute services", "Network agents", "Volume services", "Endpoints", "Volume groups"):
        assert section in done.output
    assert password not in done.output
    text = on("controller", "OS_CLOUD=packstack openstack token issue -f value -c user_id")
    assert text.strip()
