"""The provider bridge on a host's only interface: moved without losing SSH, or put back by the host itself.

In the order in which an operator meets it: each test needs the ones before it.
"""

from __future__ import annotations

import json
import time

import pytest
from conftest import fresh_hosts, killed_at, lab, on, pyinfra, totals

INVENTORY = "lab/single/inventory.py"
ADDRESS = "10.65.0.11"
BRIDGE = "br-provider"
TASK = "tasks/openvswitch.py"
MOVE = "Move the host's address to the provider bridge"
# Of all packages of the host's roles the one that this needs.
INSTALL = """\
from operations import packages

packages.installed(name="Install Open vSwitch", packages=["openvswitch-switch"], platform="debian")
"""


@pytest.fixture(scope="module", autouse=True)
def host():
    with fresh_hosts("single"):
        yield


def holders():
    """The interfaces that have the address, asked over SSH: whoever answers is reachable."""
    links = json.loads(on("host", "ip -json -4 address"))
    return [link["ifname"] for link in links if ADDRESS in (entry["local"] for entry in link["addr_info"])]


def test_what_it_needs(tmp_path):
    task = tmp_path / "install.py"
    task.write_text(INSTALL)
    pyinfra(task, "-y", inventory=INVENTORY, check=True)
    on("host", "ip route add 10.99.0.0/24 via 10.65.0.1")
    assert holders() == ["host0"]


def test_a_run_that_dies_leaves_a_host_that_puts_everything_back():
    killed_at(TASK, MOVE, 4, inventory=INVENTORY)
    # A minute for a confirmation that never comes, and what putting back takes.
    end = time.monotonic() + 100
    while True:
        on("host", "true")
        if "put back" in on("host", "cat /run/openstack-bridge/state"):
            break
        assert time.monotonic() < end
        time.sleep(2)
    assert holders() == ["host0"]
    assert "10.99.0.0/24 via 10.65.0.1 dev host0" in on("host", "ip route")
    assert BRIDGE not in on("host", "ovs-vsctl list-br").split()
    assert on("host", "ls /etc/openstack-bridges 2>/dev/null || :") == ""


def test_the_next_run_moves_it():
    run = pyinfra(TASK, "-y", inventory=INVENTORY, check=True)
    assert totals(run.output)["failed"] == 0
    assert holders() == [BRIDGE]
    assert on("host", "ovs-vsctl list-ports br-provider").split() == ["host0"]
    assert "10.99.0.0/24 via 10.65.0.1 dev br-provider" in on("host", "ip route")


def test_a_second_run_changes_nothing():
    run = pyinfra(TASK, "-y", inventory=INVENTORY, check=True)
    assert totals(run.output)["changed"] == 0, run.output


def test_a_boot_keeps_it():
    lab("stop", "host", check=True)
    lab("start", "host", check=True, timeout=300)
    assert holders() == [BRIDGE]
    assert "10.99.0.0/24 via 10.65.0.1 dev br-provider" in on("host", "ip route")
    run = pyinfra(TASK, "-y", inventory=INVENTORY, check=True)
    assert totals(run.output)["changed"] == 0, run.output
