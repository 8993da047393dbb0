"""The smoke test's programs, as far as they need no cloud."""

import base64
import hashlib
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from types import SimpleNamespace

import pytest

pytest.importorskip("openstack", reason="needs openstacksdk")

from operations.remote import smoke, smoke_host, smoke_probe

SOURCE = smoke.__file__


def test_it_ends_when_the_one_who_asked_is_gone():
    """A pyinfra that was killed reads no more; its program must not make servers beside the next run."""
    text = f"import runpy, time\nrunpy.run_path({SOURCE!r})['end_with_the_one_who_asked']()\n"
    text += "print('watching', flush=True)\ntime.sleep(60)\n"
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"watching\n"
    assert process.poll() is None
    process.stdout.close()
    assert process.wait(timeout=5) == 1


def test_a_wait_is_bounded_and_says_what_for():
    with pytest.raises(smoke.Failed, match=r"^a is ACTIVE: not within 0 s$"):
        smoke.wait("a is ACTIVE", 0, lambda: None)


class Volumes:
    """A volume that has another status each time somebody looks; the last one stays."""

    def __init__(self, *statuses):
        self.statuses, self.looks = list(statuses), 0

    def volumes(self):
        self.looks += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return [SimpleNamespace(status=status)]


@pytest.mark.parametrize(
    ("statuses", "seconds", "looks"),
    [
        (["in-use"], 60, 1),
        (["reserved", "attaching", "in-use"], 60, 3),
        (["attaching"], 0, 1),  # stuck: it is removed all the same
    ],
)
def test_a_volume_on_its_way_is_waited_for(monkeypatch, statuses, seconds, looks):
    """Seen: a server that was removed in the middle of an attach left its iSCSI session on the host."""
    monkeypatch.setattr(smoke.time, "sleep", lambda seconds: None)
    volumes = Volumes(*statuses)
    smoke.settled(volumes, seconds)
    assert volumes.looks == looks


def test_a_volume_is_detached_when_nova_says_so_too(monkeypatch):
    """Seen: cinder called the volume available, and nova refused it as "already attached"."""
    monkeypatch.setattr(smoke.time, "sleep", lambda seconds: None)
    mine, other = SimpleNamespace(volume_id="mine"), SimpleNamespace(volume_id="other")
    looks = [[other, mine], [other, mine], [other]]
    calls = []
    cloud = SimpleNamespace(
        block_storage=SimpleNamespace(get_volume=lambda volume: SimpleNamespace(status="available")),
        compute=SimpleNamespace(
            delete_volume_attachment=lambda server, volume: calls.append((server, volume)),
            volume_attachments=lambda server: looks.pop(0),
        ),
    )
    smoke.detach_from(cloud, {"limits": {"volume": 60}}, "mine", {"id": "one"})
    assert calls == [("one", "mine")]
    assert looks == []


def test_each_item_has_its_own_answer():
    def function(item):
        if item["name"] == "bad":
            raise smoke.Failed("no luck")
        return {"id": 1}

    answers = smoke.each(function, [{"name": "good"}, {"name": "bad"}])
    assert answers == {"good": {"id": 1, "seconds": 0}, "bad": {"error": "no luck", "seconds": 0}}
    assert smoke.each(function, []) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HttpException: 500: Server Error for url: http://a:8774/v2.1/servers, Oops.", "500: Oops."),
        ("no luck", "no luck"),
        ("", "RuntimeError"),
    ],
)
def test_a_reason_is_the_apis_own(text, expected):
    assert smoke.reason_of(RuntimeError(text)) == expected


class Console:
    """A cloud whose only server prints these lines."""

    def __init__(self, *lines):
        self.compute, self.lines = self, lines

    def get_server_console_output(self, server, length):
        return {"output": "\r\n".join(self.lines)}


FIRST, SECOND = "0e7c2f4e-6f0c-4c40-9b3b-d1d3a2a7a001", "7b1d8a60-98b5-47b4-a7a1-3bd3a0f2c002"
PLAN = {"image": {"tiny": True}, "limits": {"boot": 0}}


def test_a_boot_ends_with_its_own_last_line():
    server = {"id": "i", "name": "a"}
    first = [f"TINY: boot {FIRST}, 6.12", "TINY: done"]
    assert smoke.booted(Console(*first), server, PLAN) == first
    # A reboot may keep the log: the end of the boot before is not the end of this one.
    with pytest.raises(smoke.Failed, match=r"not within 0 s; it ends with: .* / TINY: done$"):
        smoke.booted(Console(*first), server, PLAN, before=[FIRST])
    again = [*first, f"TINY: boot {SECOND}, 6.12"]
    with pytest.raises(smoke.Failed):
        smoke.booted(Console(*again), server, PLAN, before=[FIRST])
    assert smoke.booted(Console(*again, "TINY: done"), server, PLAN, before=[FIRST])[-1] == "TINY: done"


@pytest.fixture
def server():
    """Answers each connection with what is in the list, after it has read the request's head."""
    answers, requests = [], []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(connection.recv(4096).decode())
                if answers:
                    connection.sendall(answers.pop(0))

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1], answers, requests
    listener.close()


def test_the_websocket_behind_the_console_greets(server):
    port, answers, requests = server
    answers += [
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x82\x0cRFB 003.008\n",
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
    ]
    address = urllib.parse.urlsplit(f"http://127.0.0.1:{port}/vnc_auto.html?path=%3Ftoken%3Dt")
    assert smoke.http(address, "/vnc_auto.html").startswith("HTTP/1.1 200 OK")
    assert smoke.http(address, "/?token=t", upgrade=True) == "RFB 003.008"
    assert requests[1].startswith("GET /?token=t HTTP/1.1\r\n")
    with pytest.raises(smoke.Failed, match=r"closed without a greeting: HTTP/1\.1 403"):
        smoke.http(address, "/?token=t", upgrade=True)


def test_the_probe_asks_again_until_the_text_is_there(server, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    port, answers, _ = server
    answers += [b"HTTP/1.0 200 OK\r\n\r\nvda 1\n", b"HTTP/1.0 200 OK\r\n\r\nvda 1\nvdb 2\n"]
    ask = {"do": "get", "address": "127.0.0.1", "port": port, "path": "/", "until": "vdb 2", "limit": 5}
    assert smoke_probe.patiently(ask) == {"ok": True, "text": "vda 1\nvdb 2"}


def test_a_closed_port_is_a_reason():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ask = {"do": "connect", "address": "127.0.0.1", "port": port, "limit": 0}
    assert smoke_probe.patiently(ask) == {"ok": False, "text": "[Errno 111] Connection refused"}


def test_traces_are_found_by_their_ids(monkeypatch):
    said = {
        "ip netns": "smoke-test\nqrouter-r-1 (id: 3)\nqdhcp-n-9 (id: 4)\n",
        "lvs --noheadings -o lv_name": "  volume-v-1\n  volume-v-2\n",
        "iscsiadm -m session": "tcp: [1] 10.0.0.3:3260,1 iqn.2010-10.org.openstack:volume-v-1 (non-flash)\n",
        "virsh list --all --uuid": "i-1\n\n",
    }
    monkeypatch.setattr(smoke_host, "output", lambda *argv: said.get(" ".join(argv)))
    monkeypatch.setattr(smoke_host, "listed", lambda folder: ["_base", "i-2"] if "nova" in folder else [])
    request = {"ids": ["r-1", "v-1", "i-1", "i-2"], "names": ["smoke-test"], "limit": 0}
    assert smoke_host.main(request) == {
        "initiator": False,
        "left": [
            "network namespace smoke-test",
            "network namespace qrouter-r-1",
            "logical volume volume-v-1",
            "iSCSI session iqn.2010-10.org.openstack:volume-v-1",
            "virtual machine i-1",
            "folder of an instance i-2",
        ],
    }


def test_the_public_key_is_one():
    from cloud.smoke import PUBLIC_KEY

    kind, blob, _ = PUBLIC_KEY.split()
    assert base64.b64decode(blob)[4:15].decode() == kind == "ssh-ed25519"
    assert len(base64.b64decode(blob)) == 51


def test_the_guest_writes_what_the_verdict_expects(tmp_path):
    """The scripts of the image, run here: the same bytes, by another way."""
    from cloud.smoke import MEGABYTES, content

    line, total = content("compute")
    shell = f"yes {line} | head -c {MEGABYTES * 1048576}"
    written = subprocess.run(["sh", "-c", shell], stdout=subprocess.PIPE).stdout
    assert hashlib.sha256(written).hexdigest() == total


def test_a_networks_bridge_is_a_trace(monkeypatch):
    """The agent names it by a part of the network's ID."""
    links = ["lo", "eth0", "brq0e7c2f4e-6f", "brqaaaaaaaa-aa"]
    monkeypatch.setattr(smoke_host, "output", lambda *argv: None)
    monkeypatch.setattr(smoke_host, "listed", lambda folder: links if folder == "/sys/class/net" else [])
    request = {"ids": ["0e7c2f4e-6f0c-4c40-9b3b-d1d3a2a7a001"], "names": ["smoke-test"], "limit": 0}
    assert smoke_host.main(request)["left"] == ["bridge brq0e7c2f4e-6f"]


def commands(monkeypatch, request, existing=()):
    """What the probe runs for a request, with these files there."""
    ran = []
    monkeypatch.setattr(smoke_probe, "run", lambda *argv, check=True: ran.append(" ".join(argv)))
    monkeypatch.setattr(smoke_probe, "enter", lambda name: ran.append(f"enter {name}"))
    monkeypatch.setattr(smoke_probe.os.path, "exists", lambda path: path in existing)
    assert smoke_probe.main(request) == []
    return ran


PROBE = {"address": "203.0.113.9", "prefix": 24, "mac": "fa:16:3e:00:00:01", "vlan": None}
INSIDE = [
    "ip -n smoke-test address add 203.0.113.9/24 dev smoke-test",
    "ip -n smoke-test link set lo up",
    "ip -n smoke-test link set smoke-test up",
    "enter smoke-test",
]


def test_the_probe_has_a_cable_into_a_linux_bridge(monkeypatch):
    request = {"name": "smoke-test", "switch": "linuxbridge", "bridge": "brq0e7c2f4e-6f", "asks": []}
    assert commands(monkeypatch, {**request, "probe": PROBE}) == [
        "ip netns add smoke-test",
        "ip link add smoke-test-out type veth "
        "peer name smoke-test address fa:16:3e:00:00:01 netns smoke-test",
        "ip link set smoke-test-out master brq0e7c2f4e-6f up",
        *INSIDE,
    ]
    left = ["/sys/class/net/smoke-test-out", "/run/netns/smoke-test"]
    assert commands(monkeypatch, {**request, "bridge": "", "probe": None}, left) == [
        "ip link delete smoke-test-out",
        "ip netns delete smoke-test",
    ]
    assert commands(monkeypatch, {**request, "bridge": "", "probe": None}) == []


def test_the_probe_is_a_port_of_open_vswitch(monkeypatch):
    request = {"name": "smoke-test", "switch": "openvswitch", "bridge": "br-provider", "asks": []}
    assert commands(monkeypatch, {**request, "probe": {**PROBE, "vlan": 7}}) == [
        "ip netns add smoke-test",
        "ovs-vsctl --may-exist add-port br-provider smoke-test tag=7 -- set Interface smoke-test "
        'type=internal mac="fa:16:3e:00:00:01"',
        "ip link set smoke-test netns smoke-test",
        *INSIDE,
    ]
    assert commands(monkeypatch, {**request, "probe": None}) == [
        "ovs-vsctl --if-exists del-port br-provider smoke-test"
    ]


class Networks:
    """An API with these networks and subnets, which takes note of what is made."""

    def __init__(self, networks=(), subnets=()):
        self.network, self.there, self.parts, self.made = self, networks, subnets, []

    def networks(self, **query):
        self.query = query
        return self.there

    def subnets(self, network_id, ip_version):
        return [subnet for subnet in self.parts if subnet.network_id == network_id]

    def create_network(self, **values):
        self.made.append(values)
        return SimpleNamespace(id="n-1", **values)

    def create_subnet(self, **values):
        self.made.append(values)


EXTERNAL = {
    "name": "smoke-test",
    "external": {"physical_network": "provider", "cidr": "203.0.113.0/24"},
}
THEIRS = SimpleNamespace(id="n-2", name="theirs", provider_physical_network="provider")


@pytest.mark.parametrize("direct", [False, True])
def test_a_provider_network_is_made_where_there_is_none(direct):
    cloud = Networks([SimpleNamespace(id="n-3", name="other", provider_physical_network="dmz")])
    made = smoke.external_network(cloud, {**EXTERNAL, "self_service": not direct})
    assert made.id == "n-1"
    network, subnet = cloud.made
    assert (network["provider_network_type"], network["provider_physical_network"]) == ("flat", "provider")
    # Routers need it external; instances directly in it need its DHCP.
    assert (network["is_router_external"], subnet["enable_dhcp"]) == (not direct, direct)
    assert cloud.query == ({} if direct else {"is_router_external": True})


def test_the_operators_provider_network_is_taken():
    cloud = Networks([THEIRS], [SimpleNamespace(network_id="n-2", is_dhcp_enabled=True)])
    for self_service in (True, False):
        assert smoke.external_network(cloud, {**EXTERNAL, "self_service": self_service}) is THEIRS
    assert cloud.made == []


def test_an_instance_can_not_boot_in_a_network_without_dhcp():
    cloud = Networks([THEIRS], [SimpleNamespace(network_id="n-2", is_dhcp_enabled=False)])
    assert smoke.external_network(cloud, {**EXTERNAL, "self_service": True}) is THEIRS
    with pytest.raises(smoke.Failed, match="theirs has no IPv4 subnet with DHCP"):
        smoke.external_network(cloud, {**EXTERNAL, "self_service": False})


@pytest.mark.parametrize("owner", ["network:router_interface", "network:ha_router_replicated_interface"])
def test_a_router_goes_with_its_ports(owner):
    done = []
    owners = (owner, "network:router_gateway", "network:router_ha_interface")
    network = SimpleNamespace(
        ports=lambda device_id: [SimpleNamespace(id=name, device_owner=name) for name in owners],
        remove_interface_from_router=lambda router, port_id: done.append(port_id),
        delete_router=lambda router: done.append(router.id),
    )
    smoke.remove_router(network, SimpleNamespace(id="r-1"))
    assert done == [owner, "r-1"]
