"""MariaDB and RabbitMQ as clusters of three hosts: begun, killed, restarted one by one, and brought back.

In the order in which an operator meets it: each test needs the ones before it. No OpenStack.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import ROOT, copied, killed_at, lab, on, pyinfra, totals, until

from lab.paths import STATE

INVENTORY = "lab/clusters/inventory.py"
HOSTS = ("database1", "database2", "database3")
TASKS = ("tasks/database.py", "tasks/messaging.py")
# The rest of the inventory's hosts nobody made.
LIMIT = ("-y", "--limit", "database")


@pytest.fixture(autouse=True)
def clusters(monkeypatch):
    monkeypatch.setenv("OPENSTACK_LAB", "clusters")


def run(*tasks, inventory=INVENTORY, **options):
    return pyinfra(*tasks, *LIMIT, inventory=inventory, **options)


def sql(host, statement):
    return on(host, f'mariadb --batch --skip-column-names --execute="{statement}"').strip()


def states():
    """What each member says of its cluster."""
    status = "SHOW STATUS WHERE variable_name IN ('wsrep_cluster_size', 'wsrep_local_state_comment')"
    rows = [sql(host, status).splitlines() for host in HOSTS]
    return [dict(row.split("\t") for row in found) for found in rows]


SYNCED = {"wsrep_cluster_size": "3", "wsrep_local_state_comment": "Synced"}


def running(host):
    """The members of RabbitMQ's cluster that a host sees."""
    done = lab("ssh", host, "rabbitmqctl --quiet --formatter json cluster_status 2>/dev/null")
    return sorted(json.loads(done.stdout)["running_nodes"]) if done.returncode == 0 else []


EVERY_NODE = [f"rabbit@{host}" for host in HOSTS]


class Writer(threading.Thread):
    """Writes numbers into a table, through the first member that takes them, as haproxy leads a service.

    Attributes:
        acknowledged: the numbers that a member has confirmed.
        longest: seconds that the longest one took.
    """

    def __init__(self, hosts=HOSTS):
        super().__init__()
        self.hosts, self.acknowledged, self.longest, self.ended = hosts, [], 0.0, threading.Event()
        sql(hosts[0], "CREATE DATABASE IF NOT EXISTS proof")
        sql(hosts[0], "CREATE TABLE IF NOT EXISTS proof.numbers (n INT PRIMARY KEY) ENGINE=InnoDB")
        sql(hosts[0], "DELETE FROM proof.numbers")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        for number in range(1, 10**6):
            began = time.monotonic()
            # A number that was written and not acknowledged is written again.
            while not self.ended.is_set() and not any(self.write(host, number) for host in self.hosts):
                time.sleep(0.2)
            if self.ended.is_set():
                return
            self.acknowledged.append(number)
            self.longest = max(self.longest, time.monotonic() - began)

    def write(self, host, number):
        statement = f"INSERT IGNORE INTO proof.numbers VALUES ({number})"
        argv = [sys.executable, "-m", "lab", "ssh", host, f"timeout 5 mariadb --execute='{statement}'"]
        done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
        return done.returncode == 0

    def lost(self):
        """Numbers that were acknowledged and are not on every member."""
        found = [set(map(int, sql(host, "SELECT n FROM proof.numbers").split())) for host in HOSTS]
        return sorted(set(self.acknowledged) - set.intersection(*found))


def cut_power():
    """All members at once."""
    with ThreadPoolExecutor() as pool:
        # One command works on a lab at a time, so the processes are ended here.
        list(pool.map(_kill, HOSTS))
    for host in HOSTS:
        lab("stop", host, "--hard", check=True)


def _kill(host):
    program = "import sys; from lab import cgroups, hosts; cgroups.kill(hosts.chosen().group(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", program, host], cwd=ROOT, check=True)


def test_fresh_hosts():
    lab("down", "clusters", check=True)
    lab("up", "clusters", check=True, timeout=1500)
    done = run("tasks/base.py", "tasks/packages.py", timeout=1500)
    assert done.returncode == 0, done.output[-6000:]


@pytest.mark.parametrize(
    ("task", "operation", "seconds"),
    [
        ("tasks/database.py", "Start MariaDB on database1", 1),
        ("tasks/database.py", "Start MariaDB on database2", 3),
        ("tasks/messaging.py", "Start RabbitMQ on database1", 3),
        ("tasks/messaging.py", "Start RabbitMQ on database3", 2),
    ],
)
def test_a_killed_start(task, operation, seconds):
    """Each is finished by the next run: at last there is one cluster and no other."""
    killed_at(task, operation, seconds, *LIMIT[1:], inventory=INVENTORY)


def test_the_clusters_are_whole():
    done = run(*TASKS, timeout=1500)
    assert done.returncode == 0, done.output[-8000:]
    assert states() == [SYNCED] * 3
    assert len({sql(host, "SHOW STATUS LIKE 'wsrep_cluster_state_uuid'") for host in HOSTS}) == 1
    assert [running(host) for host in HOSTS] == [EVERY_NODE] * 3
    assert on("database1", "stat -c '%a %U' /var/lib/rabbitmq/.erlang.cookie").split() == ["400", "rabbitmq"]


def test_a_second_run_changes_nothing():
    done = run(*TASKS, "tasks/recover_database.py", "tasks/recover_rabbitmq.py", check=True)
    assert totals(done.output)["changed"] == 0, done.output[-8000:]
    assert totals(done.output)["failed"] == 0


def test_a_limited_run_sees_the_others_and_changes_nothing():
    done = pyinfra(*TASKS, "-y", "--limit", "database2", inventory=INVENTORY, check=True)
    assert totals(done.output)["changed"] == 0, done.output[-8000:]


def test_a_member_that_is_killed_comes_back_by_itself():
    with Writer() as writer:
        time.sleep(5)
        lab("stop", "database1", "--hard", check=True)
        time.sleep(15)
        lab("start", "database1", check=True)
        until("MariaDB's members are synced", 120, lambda: states() == [SYNCED] * 3)
        until("RabbitMQ's members see one another", 180, lambda: running("database1") == EVERY_NODE)
    assert writer.lost() == []
    assert writer.longest < 30
    print(f"{len(writer.acknowledged)} writes, the longest {writer.longest:.1f} s")


def test_a_new_configuration_restarts_one_member_after_the_other(tmp_path):
    changed = copied(INVENTORY, tmp_path)
    settings = changed.parent / "group_data" / "all.py"
    settings.write_text(settings.read_text().replace("max_connections = 200", "max_connections = 210"))
    on("database2", "sleep 1; touch /etc/rabbitmq/rabbitmq.conf")
    with Writer() as writer:
        done = run(*TASKS, inventory=changed, timeout=1500)
        assert done.returncode == 0, done.output[-8000:]
    assert [sql(host, "SELECT @@max_connections") for host in HOSTS] == ["210"] * 3
    assert writer.lost() == []
    assert writer.longest < 10
    print(f"{len(writer.acknowledged)} writes, the longest {writer.longest:.1f} s")
    # Three files, three restarts; and the one of RabbitMQ.
    assert totals(done.output)["changed"] == 7
    again = run(*TASKS, inventory=changed, check=True)
    assert totals(again.output)["changed"] == 0
    run(*TASKS, check=True, timeout=1500)


def test_after_a_power_cut_every_acknowledged_row_is_brought_back():
    """Without the file by which members that come back together would find one another by themselves."""
    with Writer(("database2", "database3", "database1")) as writer:
        time.sleep(8)
        cut_power()
    for host in HOSTS:
        (STATE / "run-clusters" / host / "upper/var/lib/mysql/gvwstate.dat").unlink(missing_ok=True)
        lab("start", host, check=True)
    refused = run("tasks/database.py")
    assert refused.returncode == 1
    assert "Run tasks/recover_database.py" in refused.output
    done = run("tasks/recover_database.py", timeout=1500)
    assert done.returncode == 0, done.output[-8000:]
    assert "Last transactions: " in done.output
    assert states() == [SYNCED] * 3
    assert len(writer.acknowledged) > 5
    assert writer.lost() == []
    print(f"{len(writer.acknowledged)} writes, none lost")
    until("RabbitMQ's members see one another", 180, lambda: running("database1") == EVERY_NODE)
    test_a_second_run_changes_nothing()


def test_recovery_refuses_while_a_member_serves():
    on("database3", "systemctl stop mariadb")
    done = run("tasks/recover_database.py")
    assert done.returncode == 1
    assert "database1, database2 serve: the others only have to join" in done.output
    healed = run("tasks/database.py", check=True)
    assert totals(healed.output)["changed"] == 1
    assert states() == [SYNCED] * 3


def test_a_member_that_split_off_joins_again():
    """As if it had been made anew while it knew of no other: blank, and a cluster of its own."""
    on(
        "database3",
        "cd /etc/rabbitmq && systemctl stop rabbitmq-server && rm -r /var/lib/rabbitmq/mnesia/* && "
        "mv rabbitmq.conf away && systemctl start rabbitmq-server && mv away rabbitmq.conf",
    )
    assert running("database3") == ["rabbit@database3"]
    done = run("tasks/recover_rabbitmq.py", timeout=600)
    assert done.returncode == 0, done.output[-8000:]
    assert [running(host) for host in HOSTS] == [EVERY_NODE] * 3
    # The file was moved after its start.
    run("tasks/messaging.py", check=True)
    test_a_second_run_changes_nothing()
