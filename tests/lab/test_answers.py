"""The way out of packstack on real hosts: answer files that packstack wrote, translated and deployed.

The original install notes' first, then that of four hosts over it, then that of one host on a fresh one.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from conftest import ROOT, ProcessTable, command, lab, pyinfra, totals

from cloud.packstack_options import is_secret
from lab import ssh
from lab.hosts import UML, chosen

HOSTS = {"controller": "10.56.0.11", "compute": "10.56.0.12", "compute2": "10.56.0.14"}
STORAGE = "10.56.0.13"
NAMES = [f"--name={address}={name}" for name, address in HOSTS.items()]
TUNNELS = [f"--tunnel-address={name}={address.replace('.0.', '.2.')}" for name, address in HOSTS.items()]
# By their networks, as packstack wants it where hosts' interfaces have other names.
NETWORKS = (
    "--os-neutron-l2-agent=openvswitch",
    "--os-neutron-ml2-type-drivers=flat,vxlan",
    "--os-neutron-ml2-tenant-network-types=vxlan",
    "--os-neutron-ml2-mechanism-drivers=openvswitch",
    "--use-subnets=y",
    "--os-neutron-ovs-bridge-interfaces=br-ex:10.56.1.0/24",
    "--os-neutron-ovs-tunnel-if=10.56.2.0/24",
)
# What the lab's hosts need, and no answer file tells: see lab/inventory.py and lab/group_data/all.py.
SETTINGS = """
# The lab's own.
workers = 1
database_max_connections = 1024
openvswitch_datapath = "netdev"
rpc_response_timeout = 180
"""
DATA = """
# The lab's own.
for _hosts in (controller, compute{storage}):
    for _name, _data in _hosts:
        _data |= {extra}[_name]
"""


def generated(folder: Path, *options: str) -> Path:
    """An answer file of packstack's for the lab's controller."""
    path = folder / "answers.txt"
    program = ROOT / "tests" / "packstack_answers.py"
    command(sys.executable, program, HOSTS["controller"], path, *options, check=True)
    return path


def notes(folder: Path) -> Path:
    """The example's answer file, with the lab's hosts and interfaces in the place of the notes'."""
    text = (ROOT / "examples" / "packstack-osp10" / "answer.ini").read_text()
    text = text.replace("=192.168.1.1\n", f"={HOSTS['controller']}\n")
    for option, value in {
        "COMPUTE_HOSTS": HOSTS["compute"],
        "UNSUPPORTED": "y",
        "STORAGE_HOST": STORAGE,
        "NEUTRON_OVS_BRIDGE_IFACES": "br-ex:prov0",
        "NEUTRON_OVS_TUNNEL_IF": "tun0",
        # The lab has none.
        "NTP_SERVERS": "",
    }.items():
        text, count = re.subn(f"(?m)^CONFIG_{option}=.*$", f"CONFIG_{option}={value}", text)
        assert count == 1, option
    path = folder / "answers.txt"
    path.write_text(text)
    return path


def extra() -> dict[str, dict[str, str]]:
    """Host -> how to reach it, and its interface for tunnels, which take an address only in user space."""
    found = {}
    for host in chosen().hosts:
        _, data = ssh.reach(chosen(), host.name)
        del data["ssh_hostname"]
        if len(host.nics) > 1:
            data["tunnel_interface"] = "vec2" if host.kind == UML else "tun0"
        found[host.name] = data
    return found


def translated(answers: Path, *options: str) -> Path:
    """The inventory of an answer file, with the lab's own data; returns its path."""
    folder = answers.parent / "out"
    done = command(sys.executable, "-m", "cloud.answers", answers, folder, *options, check=True)
    kept = tomllib.loads((folder / "secrets.toml").read_text())
    given = re.findall(r"^(\w+)=(.+)$", answers.read_text(), re.MULTILINE)
    values = {value for name, value in given if is_secret(name) and value != "PW_PLACEHOLDER"}
    assert len(values & set(kept.values())) > 10
    assert [value for value in values if value in done.output] == []
    inventory = folder / "inventory.py"
    storage = ", storage" if "storage = " in inventory.read_text() else ""
    with inventory.open("a") as file:
        file.write(DATA.format(storage=storage, extra=repr(extra())))
    with (folder / "group_data" / "all.py").open("a") as file:
        file.write(SETTINGS)
    return inventory


def deployed(inventory: Path) -> None:
    """Deploy today's release, with verify at its end; a second run changes nothing."""
    with ProcessTable() as table:
        run = pyinfra("deploy.py", "-y", inventory=inventory, timeout=2400)
    assert run.returncode == 0, run.output[-8000:]
    assert re.search(r"\n\s*\d+ checks, 0 failed", run.output)
    seen = run.output + "\n".join(table.lines)
    secrets = tomllib.loads((inventory.parent / "secrets.toml").read_text())
    assert [name for name, value in secrets.items() if value in seen] == []
    again = pyinfra("deploy.py", "-y", inventory=inventory, check=True)
    assert totals(again.output)["changed"] == 0, again.output[-12000:]


def test_the_original_install_notes(tmp_path):
    lab("down", check=True)
    lab("up", check=True, timeout=1500)
    answers = notes(tmp_path)
    networks = ["--interface=host0", "--interface=storage=vec0", *TUNNELS[:2]]
    inventory = translated(
        answers, *NAMES[:2], *networks, "--volume-device=/dev/ubdb", "--allow-weak-secrets"
    )
    deployed(inventory)


def test_several_hosts(tmp_path):
    """Over the notes' cloud: another compute host, other passwords everywhere, the same volumes."""
    computes = f"{HOSTS['compute']},{HOSTS['compute2']}"
    storage = ("--unsupported=y", f"--os-storage-host={STORAGE}", "--amqp-enable-auth=y")
    answers = generated(tmp_path, f"--os-compute-hosts={computes}", *storage, *NETWORKS)
    bridges = ["--provider-interface=prov0", "--provider-interface=compute2=vec1"]
    inventory = translated(answers, *NAMES, *bridges, "--volume-device=/dev/ubdb")
    deployed(inventory)


def test_all_in_one(tmp_path):
    """As packstack writes it today, with OVN; without volumes, for a container has no LVM."""
    lab("down", check=True)
    lab("start", "controller", check=True, timeout=1500)
    answers = generated(tmp_path, "--os-cinder-install=n")
    inventory = translated(
        answers, *NAMES[:1], "--provider-interface=prov0", "--tunnel-address=controller=10.56.2.11"
    )
    deployed(inventory)
