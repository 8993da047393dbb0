"""The lab with three controllers and two load balancers: any one of them dies, and users do not notice.

In the order in which an operator meets it: each test needs the ones before it.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import Client
from conftest import ROOT, command, lab, on, pyinfra, totals, until

from lab import cgroups
from lab.hosts import LABS
from lab.paths import STATE

INVENTORY = "lab/ha/inventory.py"
ADDRESS = "10.66.0.10"
PKI = ROOT / "lab" / "ha" / "pki"
BALANCERS = ("lb1", "lb2")
CONTROLLERS = ("controller1", "controller2", "controller3")
LAB = LABS["ha"]
SYNCED = {"wsrep_cluster_size": "3", "wsrep_local_state_comment": "Synced"}


@pytest.fixture(autouse=True)
def this_lab(monkeypatch):
    monkeypatch.setenv("OPENSTACK_LAB", "ha")


def deploy(*arguments, **options):
    return pyinfra(*arguments, inventory=INVENTORY, **options)


def client(**options):
    password = tomllib.loads((ROOT / "lab" / "ha" / "secrets.toml").read_text())["admin_password"]
    return Client(ADDRESS, password, ca=PKI / "ca.pem", **options)


def holders():
    """The load balancers that have the address."""
    return [name for name in BALANCERS if f"inet {ADDRESS}/" in lab("ssh", name, "ip -4 address").stdout]


def sql(host, statement):
    return on(host, f'mariadb --batch --skip-column-names --execute="{statement}"').strip()


def synced():
    """Whether every member of MariaDB's cluster has everything, and sees all."""
    status = "SHOW STATUS WHERE variable_name IN ('wsrep_cluster_size', 'wsrep_local_state_comment')"
    rows = [sql(host, status).splitlines() for host in CONTROLLERS]
    return all(dict(row.split("\t") for row in found) == SYNCED for found in rows)


def verified():
    return deploy("tasks/verify.py", "-y").returncode == 0


def without_power(host):
    """The cable first: a killed container's kernel would close its connections, and this one tells nobody."""
    for network in LAB.host(host).nics.values():
        subprocess.run(["ip", "link", "set", LAB.link(LAB.host(host), network), "down"], check=True)
    lab("stop", host, "--hard", check=True)


def test_fresh_hosts():
    lab("down", "ha", check=True)
    lab("up", "ha", check=True, timeout=1500)
    command(sys.executable, "-m", "cloud.pki", INVENTORY, check=True)


def test_a_deploy():
    run = deploy("deploy.py", "-y", timeout=3000)
    # The verdict is before a table of 345 operations.
    assert run.returncode == 0, run.output[-60000:]
    assert re.search(r"\n\s*\d+ checks, 0 failed", run.output)
    assert f"https://{ADDRESS}/" in run.output


def test_a_second_run_changes_nothing():
    run = deploy("deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]


def test_a_limited_run_changes_nothing():
    run = deploy("deploy.py", "-y", "--limit", "controller2", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]


def test_verify_sees_clusters_keys_and_certificates(tmp_path):
    report = tmp_path / "report.json"
    deploy("tasks/verify.py", "-y", "--data", f"verify_report={report}", check=True)
    checks = json.loads(report.read_text())["checks"]
    sections = {check["section"] for check in checks}
    assert {"Load balancers", "Clusters", "Certificates"} <= sections
    found = {(check["host"], check["check"]): check["found"] for check in checks}
    assert [found[ADDRESS, "held by"]] == holders()
    assert len([key for key in found if key[1] == "L3 agent"]) == 3


def test_every_controller_has_the_same_keys():
    question = "cd /etc/keystone && sha256sum fernet-keys/* credential-keys/*"
    found = {on(host, question) for host in CONTROLLERS}
    assert len(found) == 1
    assert len(found.pop().splitlines()) == 4


def test_the_smoke_test_passes_through_the_shared_address_with_tls(tmp_path):
    report = tmp_path / "smoke.json"
    run = deploy("tasks/smoke.py", "-y", "--data", f"smoke_report={report}", timeout=1800)
    assert run.returncode == 0, run.output[-12000:]
    assert json.loads(report.read_text())["ok"]


@pytest.mark.parametrize("host", [*BALANCERS, *CONTROLLERS])
def test_a_host_loses_its_power(host):
    with client(with_volumes=True) as calls:
        time.sleep(20)
        without_power(host)
        time.sleep(45)
        lab("start", host, check=True, timeout=300)
        if host in CONTROLLERS:
            until("MariaDB's members are synced", 300, synced)
        time.sleep(30)
    calls.judge()
    until("verify is content", 300, verified, pause=20)


def test_a_controller_that_nobody_reaches(host="controller2"):
    """It stops to work by itself, and goes on when it is back: never do two parts of a cluster work."""
    others = [LAB.host(name).address for name in (*CONTROLLERS, *BALANCERS) if name != host]

    def filtered(do):
        rules = [("INPUT", "-s", address) for address in others] + [
            ("OUTPUT", "-d", address) for address in others
        ]
        return "; ".join(f"iptables -w -{do} {' '.join(rule)} -j DROP" for rule in rules)

    with client(with_volumes=True) as calls:
        time.sleep(10)
        on(host, filtered("I"))
        time.sleep(60)
        assert sql(host, "SHOW STATUS LIKE 'wsrep_cluster_status'").endswith("non-Primary")
        assert sql(CONTROLLERS[0], "SHOW STATUS LIKE 'wsrep_cluster_size'").endswith("2")
        on(host, filtered("D"))
        until("MariaDB's members are synced", 180, synced)
        time.sleep(20)
    calls.judge()
    until("verify is content", 300, verified, pause=20)


def test_all_databases_lose_their_power_at_once():
    with client() as calls:
        time.sleep(20)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda host: cgroups.kill(LAB.group(host)), CONTROLLERS))
        time.sleep(1)
        calls.stop()
    # The file by which members that come back together find one another by themselves. Without it a member
    # gives up after half a minute; those that have it wait for that one for ever, and do not hear SIGTERM.
    (STATE / "run-ha" / CONTROLLERS[-1] / "upper/var/lib/mysql/gvwstate.dat").unlink(missing_ok=True)
    for host in CONTROLLERS:
        lab("stop", host, "--hard", check=True)
        lab("start", host, check=True, timeout=300)
    run = deploy("tasks/recover_database.py", "-y", timeout=1500)
    assert run.returncode == 0, run.output[-8000:]
    assert synced()
    # haproxy 3.0.11 may forget a client whose server goes while it is connecting: nobody hears that service.
    run = deploy("tasks/recover_rabbitmq.py", "-y", timeout=900)
    assert run.returncode == 0, run.output[-8000:]
    until("verify is content", 600, verified, pause=20)
    assert len(calls.records) > 3
    calls.compare()


def served():
    """The serial number of the certificate that the shared address shows."""
    pem = ssl.get_server_certificate((ADDRESS, 5000))
    return command("openssl", "x509", "-noout", "-serial", stdin=pem, check=True).stdout


def test_a_new_certificate_costs_no_call():
    before = served()
    with client() as calls:
        time.sleep(10)
        (PKI / "server.pem").unlink()
        command(sys.executable, "-m", "cloud.pki", INVENTORY, check=True)
        run = deploy("deploy.py", "-y", check=True)
        time.sleep(5)
    assert totals(run.output)["changed"] == 4  # on each load balancer the file, and its reload
    assert served() != before
    assert calls.lost == []
    calls.judge()


def test_ten_rotations_of_keys_cost_no_call():
    with client() as calls:
        token, _ = calls.login()
        for _ in range(10):
            deploy("tasks/rotate_keys.py", "-y", check=True)
        # The first one is good, too.
        assert calls.call("GET", 8774, "/v2.1/servers", token)
    assert calls.lost == []
    calls.judge()
    test_all_is_well_and_a_deploy_changes_nothing()


def test_all_is_well_and_a_deploy_changes_nothing():
    run = deploy("deploy.py", "-y", check=True)
    assert totals(run.output)["changed"] == 0, run.output[-12000:]
