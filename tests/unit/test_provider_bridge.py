"""The move of a host's address to its bridge: on a machine of the test's own, killed at every command."""

import json

import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState, parse_commands
from pyinfra_testing.util import create_host

from facts.reading import Unreadable
from operations import bridge as operation
from operations.remote import provider_bridge as program

REQUEST = {
    "bridge": "br-ex",
    "port": "eth0",
    "address": "192.168.1.1",
    "datapath": "system",
    "patience": 60,
}
MAC = "52:54:00:54:74:22"
GUARD = "/etc/systemd/system/openstack-bridge-guard.service"
ADDRESSES = """\
2: eth0    inet 192.168.1.1/24 brd 192.168.1.255 scope global eth0\\  valid_lft forever preferred_lft forever
2: eth0    inet 10.9.9.9/32 scope global eth0:1\\  valid_lft forever preferred_lft forever
"""
ROUTES = """\
default via 192.168.1.254 proto static metric 100
10.20.0.0/16 via 192.168.1.253 linkdown
169.254.0.0/16 scope link metric 1002
192.168.1.0/24 proto kernel scope link src 192.168.1.1 metric 100
"""
BOTH = ["192.168.1.1/24", "10.9.9.9/32"]
LEFT = ["169.254.0.0/16 scope link metric 1002", "10.20.0.0/16 via 192.168.1.253"]
DEFAULT = "default via 192.168.1.254 proto static metric 100"


class Killed(BaseException):
    """SIGKILL: no handler of the program's runs."""


class Machine:
    """A host: its addresses, routes, bridges and enabled units, as the program's commands change them."""

    def __init__(self):
        self.addresses = {"eth0": list(BOTH), "eth1": ["10.0.0.5/24"]}
        self.routes = {"eth0": [*LEFT, DEFAULT]}
        self.bridges: dict[str, list[str]] = {}
        self.enabled: set[str] = set()
        self.commands: list[str] = []
        self.left = 10**6  # commands until it is killed

    def run(self, *words):
        if self.left == 0:
            raise Killed
        self.left -= 1
        self.commands.append(" ".join(words))
        return getattr(self, words[0].replace("-", "_"))(*words[1:]) or ""

    def ip(self, *words):
        text = " ".join(words)
        if words[:4] == ("-o", "-4", "address", "show"):
            if words[4] == "to":
                lines = [
                    f"9: {device}    inet {address} scope global {device}"
                    for device, addresses in self.addresses.items()
                    for address in addresses
                    if address.startswith(f"{words[5]}/")
                ]
                return "\n".join(lines)
            there = self.addresses.get(words[5], [])
            return "".join(
                line for line in ADDRESSES.splitlines(True) if any(f" {a} " in line for a in there)
            )
        if words[:4] == ("-4", "route", "show", "table"):
            return ROUTES if self.routes.get(words[6]) else ""
        if words[:2] == ("address", "replace"):
            there = self.addresses.setdefault(words[-1], [])
            there += [words[2]] if words[2] not in there else []
        elif words[:3] == ("-4", "address", "flush"):
            assert words[5:] == ("scope", "global")
            self.addresses[words[4]] = []
            self.routes.pop(words[4], None)
        elif words[:2] == ("address", "del"):
            if words[2] not in self.addresses.get(words[4], []):
                raise RuntimeError("RTNETLINK answers: Cannot assign requested address")
            self.addresses[words[4]].remove(words[2])
            if not self.addresses[words[4]]:
                self.routes.pop(words[4], None)  # as the kernel does
        elif words[:2] == ("route", "replace"):
            there = self.routes.setdefault(words[-1], [])
            route = " ".join(words[2:-2])
            there += [route] if route not in there else []
        else:
            assert text.startswith("link set ")

    def ovs_vsctl(self, _timeout, *words):
        if words[0] == "list-br":
            return "\n".join(self.bridges)
        if words[:3] == ("--bare", "--columns=name", "list"):
            return "\n\n".join([*self.bridges, *(p for ports in self.bridges.values() for p in ports)])
        if words[0] == "port-to-br":
            return next(name for name, ports in self.bridges.items() if words[1] in ports)
        if words[:2] == ("--may-exist", "add-br"):
            assert words[3:] == (
                "--", "set", "bridge", "br-ex", "datapath_type=system", f"other-config:hwaddr={MAC}",
                "--", "--may-exist", "add-port", "br-ex", "eth0",
            )  # fmt: skip
            ports = self.bridges.setdefault("br-ex", [])
            ports += ["eth0"] if "eth0" not in ports else []
        elif words[:2] == ("--if-exists", "del-port"):
            self.bridges[words[2]] = [port for port in self.bridges.get(words[2], []) if port != words[3]]
        elif words[:2] == ("--if-exists", "del-br"):
            self.bridges.pop(words[2], None)
            self.addresses.pop(words[2], None)
            self.routes.pop(words[2], None)
        else:
            raise AssertionError(words)

    def systemctl(self, verb, *words):
        if verb == "enable":
            self.enabled.add(words[0])
        elif verb == "disable":
            self.enabled.discard(words[0])
        elif verb == "is-enabled":
            if words[-1] not in self.enabled:
                raise RuntimeError("disabled")
        elif verb == "show":
            return "ActiveState=inactive\n"

    @property
    def untouched(self):
        return (
            self.addresses["eth0"] == BOTH
            and sorted(self.routes["eth0"]) == sorted([*LEFT, DEFAULT])
            and not any("eth0" in ports for ports in self.bridges.values())
            and not self.enabled - {"systemd-networkd.service"}
        )

    @property
    def moved(self):
        return (
            self.addresses["eth0"] == []
            and self.addresses["br-ex"] == BOTH
            and sorted(self.routes["br-ex"]) == sorted([*LEFT, DEFAULT])
            and "eth0" in self.bridges["br-ex"]
        )


@pytest.fixture
def machine(tmp_path, monkeypatch):
    machine = Machine()
    monkeypatch.setattr(program, "ROOT", str(tmp_path))
    monkeypatch.setattr(program, "run", machine.run)
    clock = [0.0]
    monkeypatch.setattr(program.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(program.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    program.write("/sys/class/net/eth0/address", f"{MAC}\n")
    return machine


def confirmed_at(monkeypatch, moment):
    """Somebody confirms when the program looks for the confirmation for the n-th time."""
    there, looks = program.there, [0]

    def look(path):
        if path.endswith("/confirmed"):
            looks[0] += 1
            if looks[0] == moment:
                program.write(path, "")
        return there(path)

    monkeypatch.setattr(program, "there", look)


def act(action, **more):
    return program.main({**REQUEST, "action": action, **more})


def test_what_is_read_of_the_interface():
    assert program.addresses_in(ADDRESSES) == [
        ("192.168.1.1/24", "192.168.1.255"),
        ("10.9.9.9/32", ""),
    ]
    assert program.routes_in(ROUTES) == [LEFT[0], DEFAULT, LEFT[1]]


def test_a_confirmed_move_stays(machine, monkeypatch):
    confirmed_at(monkeypatch, 3)
    act("move")
    assert machine.moved
    assert program.read(program.FOLDER + "/state") == "kept\n"
    assert program.read(program.KEPT % "br-ex") == (
        "address replace 192.168.1.1/24 broadcast 192.168.1.255 dev br-ex\n"
        "address replace 10.9.9.9/32 dev br-ex\n"
        "route replace 169.254.0.0/16 scope link metric 1002 dev br-ex\n"
        "route replace default via 192.168.1.254 proto static metric 100 dev br-ex\n"
        "route replace 10.20.0.0/16 via 192.168.1.253 dev br-ex\n"
    )
    assert not machine.enabled
    assert not program.there(GUARD)
    before = list(machine.commands)
    act("undo")  # the end of the service
    assert machine.moved
    assert machine.commands == before
    assert act("look") == {
        "holders": ["br-ex"],
        "port_of": "br-ex",
        "moving": False,
        "state": "kept",
        "kept": True,
    }


def test_a_move_that_nobody_confirms_is_put_back(machine):
    with pytest.raises(RuntimeError, match="nobody confirmed within 60 seconds"):
        act("move")
    # A boot at this moment finds what it found before, and Open vSwitch gives the interface back.
    assert machine.enabled == {"openstack-bridge-guard.service"}
    assert "ExecStart=/usr/bin/ovs-vsctl --no-wait --timeout=10 --if-exists del-br br-ex\n" in program.read(
        GUARD
    )
    assert "ConditionPathExists=!/etc/openstack-bridges/br-ex.ip\n" in program.read(GUARD)
    assert not program.there(program.KEPT % "br-ex")
    act("undo")
    assert machine.untouched
    assert machine.bridges == {}
    assert not program.there(GUARD)
    assert act("look")["state"] == "put back"


def test_a_bridge_that_was_there_stays(machine):
    machine.bridges["br-ex"] = ["phy-br-ex"]
    with pytest.raises(RuntimeError):
        act("move")
    assert "del-port br-ex eth0" in program.read(GUARD)
    act("undo")
    assert machine.untouched
    assert machine.bridges == {"br-ex": ["phy-br-ex"]}


def commands_of_a_move(machine, monkeypatch):
    confirmed_at(monkeypatch, 2)
    act("move")
    return len(machine.commands)


@pytest.mark.parametrize("count", range(40))
def test_a_service_that_is_killed_at_any_command_leaves_the_host_reachable(machine, monkeypatch, count):
    """The unit's ExecStopPost= runs whatever the end of the program was."""
    confirmed_at(monkeypatch, 2)
    machine.left = count
    try:
        act("move")
    except Killed:
        machine.left = 10**6
        act("undo")
    machine.left = 10**6
    assert machine.moved or machine.untouched
    assert not program.there(GUARD)
    if machine.moved:
        assert act("look")["kept"]
    # The next run: another move, or nothing to do.
    if machine.untouched:
        for name in ("confirmed", "state", "was.json"):
            program.remove(f"{program.FOLDER}/{name}")
        confirmed_at(monkeypatch, 2)
        act("move")
        assert machine.moved


def test_kills_reach_every_command(machine, monkeypatch):
    assert commands_of_a_move(machine, monkeypatch) < 40


def test_an_interface_without_an_address_is_left_alone(machine):
    machine.addresses["eth0"] = []
    with pytest.raises(RuntimeError, match="eth0 has no address"):
        act("move")
    act("undo")
    assert machine.bridges == {}


def test_a_confirmation_counts_only_when_the_address_has_moved(machine):
    program.write(program.FOLDER + "/state", "moving\n")
    assert act("confirm")["state"] == "moving"
    assert not program.there(program.FOLDER + "/confirmed")


def test_a_start_forgets_the_one_before(machine):
    for name in ("confirmed", "state", "was.json"):
        program.write(f"{program.FOLDER}/{name}", "old")
    assert act("start", move="print('move')", undo="print('undo')") == {"started": True}
    assert not program.there(program.FOLDER + "/confirmed")
    unit = program.read("/run/systemd/system/openstack-bridge-move.service")
    assert "/run/openstack-bridge/move.py\n" in unit
    assert "ExecStopPost=" in unit
    assert machine.commands[-1] == "systemctl start --no-block openstack-bridge-move.service"


IFCFG = """\
DEVICE=eth0
HWADDR=52:54:00:54:74:22
BOOTPROTO=static
IPADDR=192.168.1.1
NETMASK=255.255.255.0
GATEWAY=192.168.1.254
DNS1=192.168.1.254
DOMAIN=example.org
"""


def test_the_network_scripts_of_the_original_notes(machine, monkeypatch):
    scripts = program.SCRIPTS
    program.write(f"{scripts}/ifup-ovs", "#!/bin/sh\n")
    program.write(f"{scripts}/ifcfg-eth0", IFCFG)
    confirmed_at(monkeypatch, 1)
    act("move")
    assert program.read(f"{scripts}/ifcfg-br-ex") == (
        "# Written by the deploy.\nDEVICE=br-ex\nNAME=br-ex\nDEVICETYPE=ovs\nTYPE=OVSBridge\nONBOOT=yes\n"
        "NM_CONTROLLED=no\nHOTPLUG=no\nBOOTPROTO=static\nIPADDR=192.168.1.1\nPREFIX=24\nIPADDR1=10.9.9.9\n"
        "PREFIX1=32\nGATEWAY=192.168.1.254\nDNS1=192.168.1.254\nDOMAIN=example.org\n"
        f'OVS_EXTRA="set bridge br-ex other-config:hwaddr={MAC} fail_mode=standalone '
        '-- del-controller br-ex"\n'
    )
    assert program.read(f"{scripts}/ifcfg-eth0") == (
        "# Written by the deploy.\nDEVICE=eth0\nNAME=eth0\nDEVICETYPE=ovs\nTYPE=OVSPort\nOVS_BRIDGE=br-ex\n"
        "ONBOOT=yes\nNM_CONTROLLED=no\nHOTPLUG=no\nBOOTPROTO=none\nHWADDR=52:54:00:54:74:22\n"
    )
    assert program.read(f"{scripts}/route-br-ex") == (
        "169.254.0.0/16 scope link metric 1002 dev br-ex\n10.20.0.0/16 via 192.168.1.253 dev br-ex\n"
    )
    # Where no network script sees it.
    assert program.read("/etc/openstack-bridges/ifcfg-eth0.before") == IFCFG
    assert act("look")["kept"]
    program.remove(f"{scripts}/ifcfg-eth0")
    program.write(f"{scripts}/ifcfg-eth0", IFCFG)
    assert not act("look")["kept"]
    act("keep")
    assert act("look")["kept"]


def test_without_open_vswitchs_network_script_there_is_nothing_to_write_there(machine, monkeypatch):
    program.write(f"{program.SCRIPTS}/ifcfg-eth0", IFCFG)
    confirmed_at(monkeypatch, 1)
    act("move")
    assert program.read(f"{program.SCRIPTS}/ifcfg-eth0") == IFCFG


INTERFACES = """\
source /etc/network/interfaces.d/*

auto lo eth0
iface lo inet loopback

# The management network.
allow-hotplug eth0
iface eth0 inet static
    address 192.168.1.1/24
    # the router
    gateway 192.168.1.254

iface eth1 inet manual
"""


def test_ifupdown(machine, monkeypatch):
    program.write("/etc/network/interfaces", INTERFACES)
    program.write("/etc/network/interfaces.d/other", "iface eth2 inet dhcp\n")
    confirmed_at(monkeypatch, 1)
    act("move")
    text = program.read("/etc/network/interfaces")
    assert text == (
        "source /etc/network/interfaces.d/*\n\n"
        "# auto lo eth0 Written by the deploy.\nauto lo\niface lo inet loopback\n\n"
        "# The management network.\n# allow-hotplug eth0 Written by the deploy.\n# iface eth0 inet static\n"
        "#     address 192.168.1.1/24\n    # the router\n#     gateway 192.168.1.254\n\n"
        "iface eth1 inet manual\n"
    )
    assert program.read("/etc/network/interfaces.d/other") == "iface eth2 inet dhcp\n"
    assert act("look")["kept"]


def test_networkd_leaves_the_interface_alone(machine, monkeypatch):
    machine.enabled.add("systemd-networkd.service")
    confirmed_at(monkeypatch, 1)
    act("move")
    path = "/etc/systemd/network/05-openstack-eth0.network"
    assert program.read(path) == "# Written by the deploy.\n[Match]\nName=eth0\n\n[Link]\nUnmanaged=yes\n"
    assert act("look")["kept"]
    program.remove(path)
    assert not act("look")["kept"]


# The operation: what it asks, and how it comes in again.

BEFORE = {"holders": ["eth0"], "port_of": "", "moving": False, "state": "", "kept": False}
MOVED = {"holders": ["br-ex"], "port_of": "br-ex", "moving": True, "state": "moved", "kept": False}
DONE = {"holders": ["br-ex"], "port_of": "br-ex", "moving": False, "state": "kept", "kept": True}
BACK = {**BEFORE, "state": "put back"}


class Connector:
    client = None

    def disconnect(self):
        pass


@pytest.fixture
def deploy(monkeypatch, caplog):
    """A function: runs the operation, and the move it gives; the program answers one by one."""

    def deploy(*answers, reachable=lambda attempt: True):
        answers = list(answers)
        deploy.asked, attempts, clock = [], [0], [0.0]

        def ask(name, **request):
            assert name == "provider_bridge"
            deploy.asked.append(request["action"])
            return answers.pop(0) if len(answers) > 1 else answers[0]

        monkeypatch.setattr(operation, "ask", ask)
        monkeypatch.setattr(operation.time, "monotonic", lambda: clock[0])
        monkeypatch.setattr(operation.time, "sleep", lambda s: clock.__setitem__(0, clock[0] + s))
        host = create_host(FakeState())
        host.connector, host.connected = Connector(), True

        def connect(show_errors):
            attempts[0] += 1
            host.connected = reachable(attempts[0])

        host.connect = connect
        arguments = {"bridge": "br-ex", "port": "eth0", "address": "192.168.1.1", "timeout": 60}
        with ctx_state.use(FakeState()), ctx_host.use(host):
            commands = list(operation.address_taken_over._inner(**arguments))
            deploy.commands, deploy.noop = parse_commands(commands), host.noop_description
            if len(commands) == 1 and commands[0].function is operation._take_over:
                return operation._take_over(None, host, *commands[0].args)
        return None

    return deploy


def test_a_second_run_changes_nothing(deploy):
    assert deploy(DONE) is None
    assert deploy.commands == []
    assert deploy.noop == "br-ex has 192.168.1.1, and eth0 as its port"


def test_only_a_connection_that_is_younger_than_the_move_confirms_it(deploy):
    kept = {**DONE, "moving": True}
    assert deploy(BEFORE, BEFORE, {"started": True}, {**MOVED, "state": "moving"}, MOVED, kept, DONE) is True
    assert deploy.asked == ["look", "look", "start", "look", "look", "confirm", "look"]


def test_what_was_sent_for_the_host_to_run(deploy, monkeypatch):
    asked = {}
    deploy(BEFORE, BEFORE, {"started": True}, MOVED, DONE)
    original = operation.ask

    def ask(name, **request):
        asked[request["action"]] = request
        return original(name, **request)

    monkeypatch.setattr(operation, "ask", ask)
    for action in ("move", "undo"):
        text = operation.text_of("provider_bridge", {**REQUEST, "action": action})
        assert json.dumps({**REQUEST, "action": action})[1:20] in text.replace("\\", "")
        compile(text, action, "exec")


def test_a_host_that_is_not_reached_again_puts_everything_back(deploy, caplog):
    answers = (BEFORE, BEFORE, {"started": True}, BACK)
    assert deploy(*answers, reachable=lambda attempt: attempt > 30) is False
    assert (
        "eth0's address to br-ex was not confirmed within 60 seconds, and undone by the host" in caplog.text
    )
    assert "eth0 has its address again" in caplog.text
    assert "journalctl -u openstack-bridge-move" in caplog.text


def test_a_host_that_is_gone_for_good(deploy):
    assert deploy(BEFORE, BEFORE, {"started": True}, reachable=lambda attempt: False) is False


def test_a_run_that_was_killed_is_waited_for(deploy):
    """It is put back, then moved by this run."""
    other = {**MOVED}
    assert deploy(other, other, other, BACK, {"started": True}, MOVED, MOVED, DONE) is True
    assert deploy.asked[:5] == ["look", "look", "look", "look", "start"]


def test_a_run_that_was_killed_while_the_host_kept_it(deploy):
    half = {**DONE, "kept": False}
    assert deploy(half, half, DONE) is True
    assert deploy.asked == ["look", "look", "keep"]


def test_an_address_that_is_elsewhere(deploy):
    deploy({**BEFORE, "holders": ["eth7"]})
    assert deploy.commands == [["report", [], {}]]


def test_what_can_not_be_read_is_not_missing(deploy):
    deploy(Unreadable("ovs-vsctl: database connection failed"))
    assert deploy.commands == [["report", [], {}]]
