"""Preflight's table of a real host, with time and name servers that answer, keep silent, and are not there.

In the order in which an operator meets it: each test needs the ones before it.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from contextlib import contextmanager

import pytest
from conftest import fresh_hosts, on, pyinfra

INVENTORY = "lab/single/inventory.py"
TASK = "tasks/preflight.py"
HOST, MACHINE = "10.65.0.11", "10.65.0.1"
INSTALL = """\
from operations import packages

packages.installed(name="Install chrony", packages=["chrony"], platform="debian")
"""
CHRONY = (
    "printf 'local stratum 10\\nallow 10.65.0.0/24\\n' >/etc/chrony/chrony.conf; systemctl restart chrony"
)


@pytest.fixture(scope="module", autouse=True)
def host():
    with fresh_hosts("single"):
        yield


def preflight(*arguments, **data):
    options = [word for name, value in data.items() for word in ("--data", f"{name}={json.dumps(value)}")]
    return pyinfra(TASK, *arguments, *options, inventory=INVENTORY)


def rows(output):
    """check -> (found, verdict) of the table's lines, and what their columns have in common."""
    lines = [line.strip() for line in output.splitlines()]
    header = next(line for line in lines if line.startswith("host ") and line.endswith("cure"))
    starts = [header.index(word) for word in ("host", "check", "wanted", "found", "verdict", "cure")]
    found = {}
    for line in lines[lines.index(header) + 2 :]:
        if not line:
            return found
        cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
        found.setdefault(cells[1], []).append((cells[3], cells[4]))


@contextmanager
def listening(port, answer=None):
    """A UDP port of this machine that answers with what ``answer`` makes of a question, or with nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind((MACHINE, port))
        wire.settimeout(0.2)
        end = threading.Event()

        def serve():
            while not end.is_set():
                try:
                    question, client = wire.recvfrom(4096)
                except TimeoutError:
                    continue
                if answer:
                    wire.sendto(answer(question), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


def mirror():
    """The server of the lab's package sources."""
    text = on("host", "cat /etc/apt/sources.list.d/* /etc/apt/sources.list || :")
    return re.search(r"https?://([^/\s]+)", text).group(1)


def nobody(question):
    """A name server's answer that there is no such name."""
    return question[:2] + struct.pack("!HHHHH", 0x8183, 1, 0, 0, 0) + question[12:]


def test_the_table_of_a_fresh_host():
    run = preflight("--dry")
    assert run.returncode == 0, run.output
    found = rows(run.output)
    assert found["system"] == [("debian 13", "ok")]
    assert found["address"] == [("on host0, static", "ok")]
    assert found["interfaces"] == [("1: host0 up", "warning")]
    assert found["repositories"][0][0].startswith(f"3: {mirror()} trixie, ")
    assert found["resolv.conf"] == [("no name server", "warning")]
    assert f"{sum(map(len, found.values()))} checks on 1 hosts: 0 will be set, " in run.output


def test_json_is_the_results_alone():
    run = preflight("--dry", "--json")
    assert json.loads(run.stdout)["plan"] == []
    assert "0 refused" in run.stderr


def test_what_is_too_little_and_time_servers_that_do_not_answer():
    servers = [MACHINE, HOST, "nowhere.invalid"]
    with listening(123):
        run = preflight("-y", ntp_servers=servers, required={"memory": 10**7, "interfaces": 2})
    assert run.returncode != 0
    for problem in (
        "memory: ",
        "interfaces: 1: host0 up; required.interfaces is 2",
        f"ntp_servers: {MACHINE}: no answer within 4 s; name one",
        f"ntp_servers: {HOST}: refused: nothing listens there; name one",
        "ntp_servers: nowhere.invalid: its name is not resolved",
    ):
        assert f"  - host: {problem}" in run.output, run.output
    assert "nothing was changed on any" in run.output
    assert "Traceback" not in run.output


def test_servers_that_answer(tmp_path):
    task = tmp_path / "install.py"
    task.write_text(INSTALL)
    pyinfra(task, "-y", inventory=INVENTORY, check=True)
    on("host", CHRONY)
    on("host", f"cp /etc/resolv.conf /tmp; echo nameserver {MACHINE} >/etc/resolv.conf")
    with listening(123), listening(53, nobody):
        run = preflight("-y", ntp_servers=[HOST, MACHINE])
    assert run.returncode == 0, run.output
    found = rows(run.output)
    (good, ok), (silent, warning) = found["ntp_servers"]
    assert good.endswith(" s, stratum 10")
    assert silent == f"{MACHINE}: no answer within 4 s"
    assert (ok, warning) == ("ok", "warning")
    ((answer, ok),) = found["resolv.conf"]
    assert answer.endswith(f" ms, NXDOMAIN for {mirror()}")
    assert ok == "ok"


def test_a_name_server_that_is_gone_refuses_a_deploy():
    run = pyinfra("deploy.py", "-y", inventory=INVENTORY)
    assert run.returncode != 0
    assert f"  - host: resolv.conf: {MACHINE}: refused: nothing listens there; correct" in run.output, (
        run.output
    )
    assert "Starting operation" not in run.output
    # In short: what is good has no line here.
    assert set(rows(run.output)) == {"interfaces", "ntp_servers", "resolv.conf"}
    on("host", "cp /tmp/resolv.conf /etc/resolv.conf")
