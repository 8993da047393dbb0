"""The lab with two load balancers: an address that one of them holds, and what happens when that one dies.

In the order in which an operator meets it: each test needs the ones before it.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import threading
import time
import tomllib
import urllib.error
import urllib.request

import pytest
from client import Client
from conftest import ROOT, lab, on, pyinfra, totals, until
from conftest import sdk as ask_sdk

from lab.hosts import LABS

INVENTORY = "lab/lb/inventory.py"
ADDRESS = "10.63.0.10"
BALANCERS = ("lb1", "lb2")
LAB = LABS["lb"]
BRIDGE = LAB.bridge("mgmt")


@pytest.fixture(autouse=True)
def this_lab(monkeypatch):
    monkeypatch.setenv("OPENSTACK_LAB", "lb")


def deploy(*arguments, **options):
    return pyinfra(*arguments, inventory=INVENTORY, **options)


def sdk(program):
    return ask_sdk(program, cloud="lb")


def holds(name):
    """Whether a load balancer has the address."""
    return f"inet {ADDRESS}/" in lab("ssh", name, "ip -4 address").stdout


def holders():
    """The load balancers that have the address."""
    return [name for name in BALANCERS if holds(name)]


def other(name):
    return next(balancer for balancer in BALANCERS if balancer != name)


def client():
    password = tomllib.loads((ROOT / "lab" / "lb" / "secrets.toml").read_text())["admin_password"]
    return Client(ADDRESS, password)


def test_fresh_hosts():
    lab("down", "lb", check=True)
    lab("up", "lb", check=True, timeout=1500)


def test_an_address_that_somebody_has_is_refused():
    """This machine answers for it: the lab's bridge is its own interface."""
    subprocess.run(["ip", "address", "add", f"{ADDRESS}/32", "dev", BRIDGE], check=True)
    try:
        run = deploy("deploy.py", "-y")
    finally:
        subprocess.run(["ip", "address", "delete", f"{ADDRESS}/32", "dev", BRIDGE], check=True)
    assert run.returncode != 0
    for name in BALANCERS:
        assert re.search(rf"- {name}: virtual_address: {ADDRESS} is in use: [0-9a-f:]+ answers", run.output)
    assert "nothing was changed on any" in run.output


def test_a_vrrp_group_with_our_number_is_refused():
    """Somebody else's keepalived, as far as the wire shows it."""
    mac = b"\x02\x00\x5e\x00\x01\x44"
    vrrp = bytes([0x21, 68, 100, 1, 0, 1, 0, 0]) + socket.inet_aton("10.63.0.77") + bytes(8)
    ip = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(vrrp), 1, 0, 255, 112, 0)
    ip += socket.inet_aton("10.63.0.2") + socket.inet_aton("224.0.0.18")
    frame = b"\x01\x00\x5e\x00\x00\x12" + mac + b"\x08\x00" + ip + vrrp
    end = threading.Event()

    def send():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind((BRIDGE, 0))
            while not end.wait(0.5):
                wire.send(frame)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        run = deploy("tasks/preflight.py", "-y")
    finally:
        end.set()
        sender.join()
    assert run.returncode != 0
    assert "keepalived_router_id: 68 is taken: 10.63.0.2 sends VRRP with it on host0" in run.output


def test_a_deploy():
    run = deploy("deploy.py", "-y", timeout=2400)
    assert run.returncode == 0, run.output[-8000:]
    assert re.search(r"\n\s*\d+ checks, 0 failed", run.output)
    assert f"http://{ADDRESS}/" in run.output


def test_a_second_run_changes_nothing():
    run = deploy("deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]
    assert run.seconds < 60


def test_verify_tells_who_holds_the_address_and_sees_every_server_up(tmp_path):
    report = tmp_path / "report.json"
    deploy("tasks/verify.py", "-y", "--data", f"verify_report={report}", check=True)
    checks = json.loads(report.read_text())["checks"]
    found = {(check["host"], check["check"]): check["found"] for check in checks}
    assert [found[ADDRESS, "held by"]] == holders()
    servers = {check for host, check in found if host == "lb1" and ": " in check}
    assert {"openstack_mysql: mysql", "keystone-api: keystone-api1", "horizon: horizon1"} <= servers
    assert len(servers) == 11
    # The database's host has nothing else, and the load balancers nothing but these.
    units = {(check["host"], check["check"]) for check in checks if check["section"] == "Units"}
    assert {unit for host, unit in units if host == "database"} == {
        "chrony", "mariadb", "rabbitmq-server", "memcached"
    }  # fmt: skip
    assert {unit for host, unit in units if host == "lb1"} == {"chrony", "haproxy", "keepalived"}


def test_everybody_asks_at_the_shared_address():
    found = sdk(
        "print(json.dumps(sorted({endpoint.url.split('/')[2].split(':')[0]"
        " for endpoint in cloud.identity.endpoints()})))"
    )
    assert found == [ADDRESS]
    connections = on("compute", "ss -Htn state established | awk '{print $4}' | sort -u").split()
    assert f"{ADDRESS}:5672" in connections
    assert not [peer for peer in connections if peer.endswith((":3306", ":5672")) and ADDRESS not in peer]


def test_mariadb_counts_no_check_as_an_error():
    question = "mariadb --skip-column-names --execute \"show status like 'Aborted_connects'\""
    before = on("database", question)
    time.sleep(10)  # two load balancers ask every two seconds
    assert on("database", question) == before


def test_horizon_answers_at_the_shared_address():
    with urllib.request.urlopen(f"http://{ADDRESS}/auth/login/", timeout=60) as page:
        assert page.status == 200
        assert "OpenStack" in page.read().decode()


def test_the_statistics_want_a_password():
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen("http://10.63.0.21:8404/", timeout=10)
    assert refused.value.code == 401
    refused.value.close()


def test_the_smoke_test_passes_through_the_shared_address(tmp_path):
    report = tmp_path / "smoke.json"
    run = deploy("tasks/smoke.py", "-y", "--data", f"smoke_report={report}", timeout=1800)
    assert run.returncode == 0, run.output[-12000:]
    content = json.loads(report.read_text())
    assert content["ok"]
    assert "VNC behind its WebSocket" in {check["check"] for check in content["checks"]}


@pytest.mark.parametrize("time_of", ["first", "second"])
def test_the_load_balancer_that_holds_the_address_loses_its_power(time_of):
    """Twice: each of them is the one that dies, whoever was first."""
    [holder] = holders()
    with client() as calls:
        time.sleep(10)
        cut = time.monotonic()
        # The cable first: a killed container's connections are closed by the machine's kernel, and a host
        # without power tells nobody.
        subprocess.run(["ip", "link", "set", LAB.link(LAB.host(holder), "mgmt"), "down"], check=True)
        lab("stop", holder, "--hard", check=True)
        until("the other one holds the address", 60, lambda: holds(other(holder)))
        print(f"    moved within {time.monotonic() - cut:.1f} s", flush=True)
        time.sleep(20)
        lab("start", holder, check=True, timeout=300)
        # It comes back without hands, and leaves the address where it is.
        until(
            "haproxy and keepalived run again",
            60,
            lambda: (
                lab("ssh", holder, "systemctl is-active haproxy keepalived").stdout.split() == ["active"] * 2
            ),
        )
        time.sleep(20)
    calls.judge()
    assert holders() == [other(holder)]
    # Services find out about their connections to RabbitMQ by its heartbeats.
    until("verify is content", 120, lambda: deploy("tasks/verify.py", "-y").returncode == 0)


def test_haproxy_dies_and_is_started_again():
    [holder] = holders()
    with client() as calls:
        time.sleep(10)
        before = on(holder, "systemctl show --property MainPID --value haproxy")
        on(holder, "kill -9 $(pidof haproxy)")
        time.sleep(20)
    calls.judge()
    after = on(holder, "systemctl is-active haproxy; systemctl show --property MainPID --value haproxy")
    assert after.splitlines()[0] == "active"
    assert after.splitlines()[1] != before.strip()
    assert len(holders()) == 1


def test_haproxy_stays_away_and_the_address_moves():
    [holder] = holders()
    with client() as calls:
        time.sleep(10)
        on(holder, "systemctl stop haproxy")
        until("the other one holds the address", 60, lambda: holders() == [other(holder)])
        time.sleep(10)
        on(holder, "systemctl start haproxy")
        time.sleep(20)
    calls.judge()
    assert holders() == [other(holder)]


def test_haproxy_hangs_and_the_address_moves():
    """Its process is there and active: only who asks it finds out."""
    [holder] = holders()
    with client() as calls:
        time.sleep(10)
        on(holder, "kill -STOP $(pidof haproxy)")
        until("the other one holds the address", 60, lambda: holders() == [other(holder)])
        time.sleep(10)
        on(holder, "kill -CONT $(pidof haproxy)")
        time.sleep(20)
    calls.judge()
    assert holders() == [other(holder)]


def test_all_is_well_and_a_deploy_changes_nothing():
    run = deploy("deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]
