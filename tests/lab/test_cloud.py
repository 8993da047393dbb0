"""The cloud on real hosts, in the order in which an operator meets it. Each test needs the ones before it."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import tarfile
import time

import conftest
import pytest
from conftest import ProcessTable, found_secrets, killed_at, lab, on, pyinfra, sdk, totals

from cloud import ini

# Which operations begin in the first and in the last third of a deploy on fresh hosts.
FIRST_THIRD = "Install the packages of the host's roles"
LAST_THIRD = "Bring neutron's schema to head"


def test_fresh_hosts():
    lab("down", check=True)
    lab("up", check=True, timeout=1500)
    names = on("storage", "lsblk -dno NAME,SIZE")
    assert "ubdb" in names


def test_the_plan_comes_before_any_change():
    planned = pyinfra("deploy.py", "--dry", check=True)
    assert "Detected changes" in planned.output
    assert found_secrets(planned.output) == []
    assert "mariadb" not in on("controller", "dpkg -l")


def test_a_deploy_that_is_killed_twice_is_finished_by_the_next(request):
    """And no secret is in its output, however much it is asked to tell, nor in any process table."""
    with ProcessTable() as table:
        output = killed_at("deploy.py", FIRST_THIRD, 20, "-vvv", "--diff")
        output += killed_at("deploy.py", LAST_THIRD, 1, "-vvv", "--diff")
        last = pyinfra("deploy.py", "-y", "-vvv", "--diff", timeout=1800)
    output += last.output
    assert last.returncode == 0, last.output[-6000:]
    assert found_secrets(output) == []
    assert found_secrets("\n".join(table.lines)) == []
    # The table did see the hosts' processes.
    assert any("keystone" in line for line in table.lines)
    assert any("cinder-volume" in line for line in table.lines)
    assert re.search(r"\n\s*\d+ checks, 0 failed", last.output)
    assert "Horizon:" in last.output


def test_a_second_run_changes_nothing():
    second = pyinfra("deploy.py", "-y", check=True)
    assert totals(second.output)["changed"] == 0, second.output[-12000:]
    assert totals(second.output)["failed"] == 0
    assert second.seconds < 60


def test_the_plan_of_a_finished_cloud_is_empty():
    planned = pyinfra("deploy.py", "--dry", "--json", check=True)
    plan = json.loads(planned.stdout)["plan"]
    assert plan
    assert [operation["name"] for operation in plan if operation["hosts_with_change"]] == []
    assert found_secrets(planned.output) == []


def test_what_is_rendered_offline_is_what_the_hosts_have(tmp_path):
    conftest.command(
        sys.executable, "-m", "cloud.render", conftest.INVENTORY, tmp_path / "out", "--secrets", check=True
    )
    compared = 0
    for folder in (tmp_path / "out").iterdir():
        # Which disks a host needs itself, only the host can tell.
        files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lvm.conf"]
        names = [str(path.relative_to(folder)) for path in files]
        if not names:
            continue
        archive = base64.b64decode(
            on(folder.name, f"tar --create --dereference -C / {' '.join(names)} | base64")
        )
        with tarfile.open(fileobj=io.BytesIO(archive)) as there:
            for path, name in zip(files, names, strict=True):
                rendered = path.read_text().replace("<VirtType of the host>", "qemu")
                found = there.extractfile(name).read().decode()
                # A file of ours is the same; of the distribution's, no option is left to set.
                same = found == rendered or ini.merge(found, ini.read_wanted(rendered)) == found
                assert same, f"{folder.name}: {name}"
                compared += 1
    assert compared == 45


def test_json_holds_no_secret_and_counts_the_operations():
    run = pyinfra("deploy.py", "-y", "--json", check=True)
    assert found_secrets(run.output) == []
    results = json.loads(run.stdout)["results"]
    assert results["failed_hosts"] == []
    assert (results["totals"]["success"], results["totals"]["error"]) == (0, 0)


def test_verification_takes_seconds(tmp_path):
    report = tmp_path / "report.json"
    run = pyinfra("tasks/verify.py", "-y", "--data", f"verify_report={report}", check=True)
    assert run.seconds < 15
    content = json.loads(report.read_text())
    assert content["ok"]
    assert all(
        set(check) == {"host", "section", "check", "expected", "found", "ok"} for check in content["checks"]
    )
    sections = {check["section"] for check in content["checks"]}
    assert {
        "Compute services",
        "Network agents",
        "Volume services",
        "Endpoints",
        "Ports",
        "Clocks",
    } <= sections


def test_verification_sees_a_dead_service(tmp_path):
    report = tmp_path / "report.json"
    on("compute", "systemctl stop nova-compute")
    try:
        run = pyinfra("tasks/verify.py", "-y", "--data", f"verify_report={report}")
        assert run.returncode == 1
        failed = [check for check in json.loads(report.read_text())["checks"] if not check["ok"]]
        assert ("compute", "nova-compute") in {(check["host"], check["check"]) for check in failed}
    finally:
        on("compute", "systemctl start nova-compute")
    end = time.monotonic() + 60
    while (run := pyinfra("tasks/verify.py", "-y")).returncode and time.monotonic() < end:
        time.sleep(3)
    assert run.returncode == 0, run.output[-4000:]


def test_verification_sees_an_unreachable_host():
    on("compute", "systemctl stop ssh.socket ssh || true; systemd-run --on-active=15 systemctl start ssh")
    run = pyinfra("tasks/verify.py", "-y")
    assert run.returncode == 1
    assert re.search(r"compute\s+answers\s+yes\s+unreachable over SSH\s+FAILED", run.output)
    assert "Traceback" not in run.output
    end = time.monotonic() + 60
    while lab("ssh", "compute", "true").returncode and time.monotonic() < end:
        time.sleep(2)


def test_a_volume_is_a_logical_volume():
    volume = sdk(
        "volume = cloud.block_storage.create_volume(size=1, name='lab-test')\n"
        "volume = cloud.block_storage.wait_for_status(volume, 'available', ['error'], interval=1, wait=180)\n"
        "print(json.dumps(volume.id))"
    )
    assert f"volume-{volume}" in on("storage", "lvs --noheadings -o lv_name")
    sdk(
        f"volume = cloud.block_storage.get_volume('{volume}')\n"
        "cloud.block_storage.delete_volume(volume)\n"
        "cloud.block_storage.wait_for_delete(volume, interval=1, wait=180)\n"
        "print('null')"
    )
    assert volume not in on("storage", "lvs --noheadings -o lv_name")


def test_a_network_gets_its_dhcp_agent():
    agents = sdk(
        "network = cloud.network.create_network(name='lab-test')\n"
        "subnet = cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr='192.168.77.0/24')\n"
        "agents = []\n"
        "for _ in range(30):\n"
        "    agents = [agent.host for agent in cloud.network.network_hosting_dhcp_agents(network)]\n"
        "    ports = list(cloud.network.ports(network_id=network.id, device_owner='network:dhcp'))\n"
        "    if agents and ports and ports[0].status == 'ACTIVE': break\n"
        "    time.sleep(1)\n"
        "state = [port.status for port in ports]\n"
        "cloud.network.delete_network(network.id)\n"
        "print(json.dumps([agents, state]))"
    )
    assert agents == [["controller"], ["ACTIVE"]]


def test_a_write_whose_restart_was_lost_is_healed():
    """As if a run had died between writing a configuration and restarting the service."""
    on("controller", "sleep 1; touch /etc/glance/glance-api.conf")
    healed = pyinfra("tasks/glance.py", "-y", check=True)
    assert totals(healed.output)["changed"] == 1
    again = pyinfra("tasks/glance.py", "-y", check=True)
    assert totals(again.output)["changed"] == 0


def test_what_somebody_changed_is_put_right_and_the_rest_is_kept():
    on("compute", "sed -i 's/^my_ip.*/my_ip = 10.9.9.9/; $a [mine]\\nkept = yes' /etc/nova/nova.conf")
    changed = pyinfra("tasks/nova.py", "-y", check=True)
    assert totals(changed.output)["changed"] == 2  # the file, and nova-compute's restart
    text = on("compute", "cat /etc/nova/nova.conf")
    assert "my_ip = 10.56.0.12" in text
    assert "kept = yes" in text


def test_a_changed_password_reaches_every_place(inventory_copy):
    """The database, keystone, and every file: then all of it back."""
    secrets_file = inventory_copy.parent / "secrets.toml"
    old = conftest.secrets()["placement_service_password"]
    secrets_file.write_text(secrets_file.read_text().replace(old, "Jw7-rTq2.mK9x_Zp4vLd"))
    for inventory in (inventory_copy, conftest.INVENTORY):
        run = pyinfra("deploy.py", "-y", inventory=inventory)
        assert run.returncode == 0, run.output[-6000:]
        assert totals(run.output)["changed"] > 0


@pytest.mark.parametrize(
    ("found", "changed", "message"),
    [
        ('"/dev/ubdb"', '"/dev/ubda"', "/dev/ubda is not empty"),
        ('"/dev/ubdb"', '"/dev/ubdz"', "/dev/ubdz does not exist"),
        ('provider_interface="prov0"', 'provider_interface="prov9"', "there is no interface prov9"),
        ('tunnel_interface="tun0"', 'tunnel_interface="host0"', "is the management or provider interface"),
        ('interface="host0"', 'interface="eth7"', "not on eth7"),
    ],
)
def test_preflight_refuses_and_touches_nothing(inventory_copy, found, changed, message):
    before = inventory_copy.read_text()
    assert found in before
    inventory_copy.write_text(before.replace(found, changed))
    run = pyinfra("deploy.py", "-y", inventory=inventory_copy)
    assert run.returncode != 0
    assert message in run.output
    assert "Starting operation" not in run.output
    assert "Traceback" not in run.output


def test_a_limited_run_writes_no_smaller_cloud():
    run = pyinfra("deploy.py", "-y", "--limit", "compute", check=True)
    assert totals(run.output)["changed"] == 0
