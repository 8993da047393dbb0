"""Hosts as preflight finds them."""

from facts.preflight import HostState

SOURCES = (
    "deb http://mirror.example/debian trixie main\ndeb http://mirror.example/debian trixie-updates main\n"
)

GOOD = HostState(
    os_id="debian",
    os_version="13",
    init="systemd",
    memory=16000,
    disk=60000,
    free_disk=40000,
    interfaces={
        "lo": ["127.0.0.1"],
        "eth0": ["192.168.56.11", "192.168.56.12", "192.168.56.13"],
        "eth1": [],
        "eth2": [],
    },
    links={"lo": "up", "eth0": "up", "eth1": "up", "eth2": "up"},
    cards=("eth0", "eth1", "eth2"),
    resolvers=("192.168.56.1",),
    apt={"/etc/apt/sources.list": SOURCES},
    user="root",
    python=True,
    installed=False,
)


def problems(lines):
    """What the message says that refuses a run."""
    return [line.problem for line in lines if line.verdict == "refused"]


def row(lines, check):
    """The one line of a check: wanted, found, verdict, cure."""
    (line,) = (line for line in lines if line.check == check)
    return line.wanted, line.found, line.verdict, line.cure
