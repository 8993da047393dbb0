"""The second lab: an older release, Linux bridges and one flat network, as the original notes have it.

In the order in which an operator meets it: each test needs the ones before it.
"""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request

import pytest
from conftest import lab, on, pyinfra, totals
from conftest import sdk as ask_sdk

INVENTORY = "lab/zed/inventory.py"
HOSTS = ("controller", "compute")
SMOKE = "tasks/smoke.py"


@pytest.fixture(autouse=True)
def second_lab(monkeypatch):
    monkeypatch.setenv("OPENSTACK_LAB", "zed")


def deploy(*arguments, **options):
    return pyinfra(*arguments, inventory=INVENTORY, **options)


def sdk(program):
    return ask_sdk(program, cloud="zed")


def addresses(host):
    """Interface -> its IPv4 addresses."""
    links = json.loads(on(host, "ip -json -4 address"))
    return {link["ifname"]: [entry["local"] for entry in link["addr_info"]] for link in links}


def test_fresh_hosts():
    lab("down", "zed", check=True)
    lab("up", "zed", check=True, timeout=1500)
    for host in HOSTS:
        assert "VERSION_CODENAME=bookworm" in on(host, "cat /etc/os-release").splitlines()


def test_a_deploy():
    run = deploy("deploy.py", "-y", timeout=2400)
    assert run.returncode == 0, run.output[-8000:]
    assert re.search(r"\n\s*\d+ checks, 0 failed", run.output)


def test_a_second_run_changes_nothing():
    run = deploy("deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]
    assert run.seconds < 60


def test_verify_sees_linux_bridge_agents_and_no_more_than_there_is(tmp_path):
    report = tmp_path / "report.json"
    deploy("tasks/verify.py", "-y", "--data", f"verify_report={report}", check=True)
    checks = json.loads(report.read_text())["checks"]
    agents = {(check["host"], check["check"]) for check in checks if check["section"] == "Network agents"}
    assert agents == {
        ("controller", "Linux bridge agent"),
        ("controller", "DHCP agent"),
        ("controller", "Metadata agent"),
        ("compute", "Linux bridge agent"),
    }
    assert not {"Volume services", "Volume pools", "Volume groups"} & {check["section"] for check in checks}
    found = sdk(
        "print(json.dumps({\n"
        "    'services': sorted(service.type for service in cloud.identity.services()),\n"
        "    'agents': sorted((a.host, a.agent_type, a.is_alive) for a in cloud.network.agents()),\n"
        "}))"
    )
    assert found["services"] == ["compute", "identity", "image", "network", "placement"]
    assert {(host, kind) for host, kind, _ in found["agents"]} == agents
    assert all(alive for _, _, alive in found["agents"])


def test_the_address_moves_with_the_first_network_and_stays():
    """The only interface goes into the bridge of the network, and the deploy goes on to find the host."""
    assert addresses("compute")["host0"] == ["10.58.0.12"]
    made = deploy("tasks/resources.py", "-y", timeout=900)
    assert made.returncode == 0, made.output[-8000:]
    assert totals(made.output)["changed"] == 1
    for host, address in (("controller", "10.58.0.11"), ("compute", "10.58.0.12")):
        found = addresses(host)
        assert "host0" not in found
        assert [names for name, names in found.items() if name.startswith("brq")] == [[address]]
    again = deploy("tasks/resources.py", "-y", check=True)
    assert totals(again.output)["changed"] == 0
    whole = deploy("deploy.py", "-y", check=True)
    assert totals(whole.output)["changed"] == 0, whole.output[-12000:]


def instance_address():
    return sdk(
        "[server] = cloud.compute.servers(all_projects=True, name='hello-instance')\n"
        "print(json.dumps(server.addresses['provider'][0]['addr']))"
    )


def greeting(address, port):
    """What the instance says there, asked from this machine, whose bridge is the provider network."""
    with socket.create_connection((address, port), timeout=5) as connection:
        return connection.makefile().readline().strip()


def test_an_instance_is_in_the_flat_network_behind_its_security_group():
    address = instance_address()
    assert address.startswith("10.58.0.1")
    end = time.monotonic() + 240
    while True:
        try:
            said = greeting(address, 22)
        except OSError as error:
            assert time.monotonic() < end, error
            time.sleep(2)
            continue
        break
    # nova's dhcp_domain, which we leave as it is.
    assert said == "TINY: hello-instance.novalocal"
    # The image listens there, and the group "hello" does not let it through.
    with pytest.raises(TimeoutError):
        greeting(address, 80)


def test_horizon_answers():
    with urllib.request.urlopen("http://10.58.0.11/auth/login/", timeout=60) as page:
        assert page.status == 200
        assert "OpenStack" in page.read().decode()


def test_the_smoke_test_passes_beside_the_instance(tmp_path):
    report = tmp_path / "smoke.json"
    run = deploy(SMOKE, "-y", "--data", f"smoke_report={report}", timeout=1800)
    assert run.returncode == 0, run.output[-12000:]
    content = json.loads(report.read_text())
    assert content["ok"]
    checks = {check["check"] for check in content["checks"]}
    assert {
        "console log: DHCP lease", "console log: metadata, key", "ping from the provider network",
        "TCP service from the provider network", "a port the security group does not allow",
        "VNC behind its WebSocket", "soft reboot", "hard reboot", "stop", "start",
    } <= checks  # fmt: skip
    assert [line.partition(";")[0] for line in content["warnings"]] == [
        "skipped: routers and floating IPs",
        "skipped: volumes",
    ]


def test_nothing_is_left_and_the_address_comes_back_with_the_last_network():
    assert "smoke" not in on("controller", "ip netns; ip -brief link")
    removed = deploy("tasks/teardown.py", "-y", "--data", "confirm=zed", timeout=600)
    assert removed.returncode == 0, removed.output[-6000:]
    end = time.monotonic() + 60
    for host, address in (("controller", "10.58.0.11"), ("compute", "10.58.0.12")):
        while (found := addresses(host)).get("host0") != [address]:
            assert time.monotonic() < end, found
            time.sleep(2)
        assert not [name for name in found if name.startswith("brq")]


def test_the_smoke_test_makes_its_own_network_where_there_is_none():
    run = deploy(SMOKE, "-y", timeout=1800)
    assert run.returncode == 0, run.output[-12000:]
    assert addresses("compute")["host0"] == ["10.58.0.12"]
