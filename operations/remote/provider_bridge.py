"""Moves the addresses of an interface to the Open vSwitch bridge that takes it as a port. Plain Python 3.6.

Whoever asks came in through that interface. So the move is a service of the host's own: it makes the bridge,
moves addresses and routes, and waits for ``confirm``, which only a connection over the bridge can ask for.
Without one, or killed, it puts everything back. What a boot reads is written at the confirmation, not before:
a host that goes down in between comes back as it was.

Request: ``{"action": …, "bridge": name, "port": interface, "address": IPv4 address, "datapath": "system" or
"netdev", "patience": seconds}``, and for ``start`` ``{"move": text, "undo": text}``: this program with a
request for each. Actions and answers:

- ``look``: ``{"holders": […], "port_of": bridge or "", "moving": bool, "state": text, "kept": bool}``.
- ``start``: starts the service, which moves (``move``) and at its end puts back (``undo``).
- ``confirm``: the move is to stay. ``keep``: writes what a boot reads; for a run that died while it did.
"""

import glob
import json
import os
import re
import subprocess
import sys
import time

ROOT = ""  # before every path: for tests
SERVICE = "openstack-bridge-move.service"
GUARD = "openstack-bridge-guard.service"
FOLDER = "/run/openstack-bridge"
KEPT = "/etc/openstack-bridges/%s.ip"
SCRIPTS = "/etc/sysconfig/network-scripts"
WRITTEN = "# Written by the deploy."
# What begins a part of /etc/network/interfaces, beside auto and allow-…: interfaces(5).
STANZAS = ("iface", "mapping", "source", "source-directory", "no-auto-down", "no-scripts", "rename")

UNIT = """\
[Unit]
Description=Move of {port}'s addresses to {bridge}
[Service]
ExecStart={python} {folder}/move.py
ExecStopPost={python} {folder}/undo.py
TimeoutStopSec=60
"""
# Open vSwitch remembers ports: without this a boot would take an interface whose move nobody confirmed.
GUARD_UNIT = """\
[Unit]
Description=Give {port} back, whose move to {bridge} was not confirmed
After=ovsdb-server.service
Before=ovs-vswitchd.service
ConditionPathExists=!{kept}
[Service]
Type=oneshot
ExecStart=/usr/bin/ovs-vsctl --no-wait --timeout=10 {undo}
[Install]
WantedBy=ovs-vswitchd.service
"""


def run(*words):
    """The output of a command; RuntimeError with its own words when it fails."""
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
        env=dict(os.environ, LC_ALL="C"),
    )
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(words), done.stderr.strip() or done.stdout.strip()))
    return done.stdout


def vsctl(*words):
    return run("ovs-vsctl", "--timeout=20", *words)


def says(*words):
    """Whether a command succeeds."""
    try:
        run(*words)
    except (RuntimeError, OSError):
        return False
    return True


def there(path):
    return os.path.exists(ROOT + path)


def read(path):
    """A file's text; empty when there is none."""
    if not there(path):
        return ""
    with open(ROOT + path) as file:
        return file.read()


def write(path, text, mode=0o644):
    """Write a file, whole or not at all, and to the disk: a power cut must not leave an empty one."""
    os.makedirs(os.path.dirname(ROOT + path), exist_ok=True)
    new = os.path.join(os.path.dirname(path), ".%s.new" % os.path.basename(path))
    if there(new):
        os.unlink(ROOT + new)
    with os.fdopen(os.open(ROOT + new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(ROOT + new, ROOT + path)


def remove(path):
    if there(path):
        os.unlink(ROOT + path)


# What the interface has. Read as text: EL 7's ip has no -json, and what it prints of a route it takes back.


def addresses_in(text):
    """[(address with prefix length, broadcast address or "")] of ``ip -o -4 address show``."""
    found = []
    for line in text.splitlines():
        words = line.split("\\")[0].split()
        if "inet" in words and "global" in words:
            address = words[words.index("inet") + 1]
            broadcast = words[words.index("brd") + 1] if "brd" in words else ""
            found.append((address, broadcast))
    return found


def routes_in(text):
    """The routes to move, those to the neighbours first; the kernel makes its own with an address."""
    routes = []
    for line in text.splitlines():
        words = [word for word in line.split() if word not in ("linkdown", "dead", "pervasive", "offload")]
        if words and not re.search(r"\bproto kernel\b", line):
            routes.append(" ".join(words))
    return sorted(routes, key=lambda route: " via " in " %s " % route)


def addresses(device):
    return addresses_in(run("ip", "-o", "-4", "address", "show", "dev", device, "scope", "global"))


def holders(address):
    """The interfaces that have an address."""
    text = run("ip", "-o", "-4", "address", "show", "to", address)
    return sorted({line.split()[1].rstrip(":") for line in text.splitlines() if line.strip()})


def batch(bridge, was):
    """What gives the bridge its addresses and routes, for ``ip -batch``."""
    lines = []
    for address, broadcast in was["addresses"]:
        lines.append(
            "address replace %s %sdev %s"
            % (address, "broadcast %s " % broadcast if broadcast else "", bridge)
        )
    return lines + ["route replace %s dev %s" % (route, bridge) for route in was["routes"]]


# What a boot reads.


def ifcfg(bridge, port, datapath, mac, lines, before):
    """The texts of ``ifcfg-BRIDGE``, ``ifcfg-PORT`` and ``route-BRIDGE`` for EL's network scripts.

    Args:
        bridge, port, datapath: as in the request.
        mac: the hardware address of the port, which the bridge takes.
        lines: see :func:`batch`.
        before: the text of ``ifcfg-PORT`` before: its name servers stay.
    """
    extra = "set bridge %s other-config:hwaddr=%s fail_mode=standalone" % (bridge, mac)
    extra += " datapath_type=netdev" if datapath == "netdev" else ""
    first = [
        WRITTEN, "DEVICE=%s" % bridge, "NAME=%s" % bridge, "DEVICETYPE=ovs", "TYPE=OVSBridge", "ONBOOT=yes",
        "NM_CONTROLLED=no", "HOTPLUG=no", "BOOTPROTO=static",
    ]  # fmt: skip
    routes, number = [], ""
    for line in lines:
        words = line.split()
        if words[0] == "address":
            address, _, prefix = words[2].partition("/")
            first += ["IPADDR%s=%s" % (number, address), "PREFIX%s=%s" % (number, prefix or "32")]
            number = int(number or 0) + 1
        elif words[2:4] == ["default", "via"]:
            first.append("GATEWAY=%s" % words[4])
        else:
            routes.append(" ".join(words[2:]))
    first += re.findall(r"^(?:DNS\d|DOMAIN)=.*$", before, re.MULTILINE)
    first.append('OVS_EXTRA="%s -- del-controller %s"' % (extra, bridge))
    second = [
        WRITTEN, "DEVICE=%s" % port, "NAME=%s" % port, "DEVICETYPE=ovs", "TYPE=OVSPort",
        "OVS_BRIDGE=%s" % bridge, "ONBOOT=yes", "NM_CONTROLLED=no", "HOTPLUG=no", "BOOTPROTO=none",
    ]  # fmt: skip
    second += re.findall(r"^HWADDR=.*$", before, re.MULTILINE)
    return tuple("\n".join(part) + "\n" if part else "" for part in (first, second, routes))


def without_stanzas(text, port):
    """A file of ifupdown's in which nothing configures the port any more; what did is a comment now."""
    lines, inside = [], False
    for line in text.splitlines():
        words = line.split()
        if words and not line.lstrip().startswith("#"):
            automatic = words[0] == "auto" or words[0].startswith("allow-")
            if automatic or words[0] in STANZAS:
                inside = words[0] == "iface" and words[1:2] == [port]
            if automatic and port in words[1:]:
                lines.append("# %s %s" % (line, WRITTEN[2:]))
                others = [word for word in words if word != port]
                lines += [" ".join(others)] if others[1:] else []
                continue
        lines.append("# %s" % line if inside and words and not line.lstrip().startswith("#") else line)
    return "\n".join(lines) + "\n"


def configures(text, port):
    """Whether a file of ifupdown's gives the port an address."""
    return bool(re.search(r"^\s*iface\s+%s\s+inet\s+(static|dhcp)\b" % re.escape(port), text, re.MULTILINE))


def files_of_ifupdown():
    paths = [ROOT + "/etc/network/interfaces"] + sorted(glob.glob(ROOT + "/etc/network/interfaces.d/*"))
    return [path[len(ROOT) :] for path in paths if os.path.isfile(path)]


def wanted_files(request):
    """Path -> text of all files by which a boot leaves the port without an address, as they shall be."""
    bridge, port = request["bridge"], request["port"]
    files = {}
    if there(SCRIPTS + "/ifup-ovs") and there("%s/ifcfg-%s" % (SCRIPTS, port)):
        saved = "%s/ifcfg-%s.before" % (os.path.dirname(KEPT), port)
        old = read("%s/ifcfg-%s" % (SCRIPTS, port))
        before = read(saved) or (old if "TYPE=OVSPort" not in old else "")
        files[saved] = before
        mac = read("/sys/class/net/%s/address" % port).strip()
        lines = read(KEPT % bridge).splitlines()
        first, second, routes = ifcfg(bridge, port, request["datapath"], mac, lines, before)
        if routes:
            files["%s/route-%s" % (SCRIPTS, bridge)] = routes
        files["%s/ifcfg-%s" % (SCRIPTS, bridge)] = first
        files["%s/ifcfg-%s" % (SCRIPTS, port)] = second
    for path in files_of_ifupdown():
        text = read(path)
        if configures(text, port):
            files[path] = without_stanzas(text, port)
    if says("systemctl", "is-enabled", "--quiet", "systemd-networkd.service"):
        # The first file that matches counts, by its name.
        path = "/etc/systemd/network/05-openstack-%s.network" % port
        files[path] = "%s\n[Match]\nName=%s\n\n[Link]\nUnmanaged=yes\n" % (WRITTEN, port)
    return files


def kept(request):
    """Whether all that a boot reads is there."""
    text = read(KEPT % request["bridge"])
    mine = re.search(r"^address replace %s/" % re.escape(request["address"]), text, re.MULTILINE)
    files = wanted_files(request) if mine else {}
    right = all(read(path) == text for path, text in files.items())
    return bool(mine and right and not there("/etc/systemd/system/" + GUARD))


def keep(request):
    """Write what a boot reads. The first file counts: from then on the bridge has the addresses at a boot."""
    path = KEPT % request["bridge"]
    if not there(path):
        write(path, "\n".join(batch(request["bridge"], json.loads(read(FOLDER + "/was.json")))) + "\n")
    for path, text in wanted_files(request).items():
        if read(path) != text:
            write(path, text)
    unguard()
    os.sync()


def guard(request, existed):
    undo = "--if-exists del-port %s %s" % (request["bridge"], request["port"])
    if not existed:
        undo = "--if-exists del-br %s" % request["bridge"]
    text = GUARD_UNIT.format(
        port=request["port"], bridge=request["bridge"], kept=KEPT % request["bridge"], undo=undo
    )
    write("/etc/systemd/system/" + GUARD, text)
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", GUARD)


def unguard():
    if there("/etc/systemd/system/" + GUARD):
        run("systemctl", "disable", GUARD)
        remove("/etc/systemd/system/" + GUARD)
        run("systemctl", "daemon-reload")


# The actions.


def look(request):
    bridge, port = request["bridge"], request["port"]
    member = vsctl("port-to-br", port).strip() if port in ports() else ""
    return {
        "holders": holders(request["address"]),
        "port_of": member,
        "moving": moving(),
        "state": read(FOLDER + "/state").strip(),
        "kept": member == bridge and kept(request),
    }


def ports():
    return vsctl("--bare", "--columns=name", "list", "Port").split()


def moving():
    state = run("systemctl", "show", "--property=ActiveState", SERVICE).strip().partition("=")[2]
    return state not in ("inactive", "failed", "")


def start(request):
    if moving():
        raise RuntimeError("%s is still at work" % SERVICE)
    for name in ("state", "confirmed", "was.json"):
        remove("%s/%s" % (FOLDER, name))
    write(FOLDER + "/move.py", request["move"], 0o600)
    write(FOLDER + "/undo.py", request["undo"], 0o600)
    unit = UNIT.format(port=request["port"], bridge=request["bridge"], folder=FOLDER, python=sys.executable)
    write("/run/systemd/system/" + SERVICE, unit)
    run("systemctl", "daemon-reload")
    says("systemctl", "reset-failed", SERVICE)
    run("systemctl", "start", "--no-block", SERVICE)
    return {"started": True}


def note(state):
    print(state, flush=True)
    write(FOLDER + "/state", state + "\n")


def move(request):
    bridge, port = request["bridge"], request["port"]
    time.sleep(1)  # "start" still has to answer over the interface that goes
    existed = bridge in vsctl("list-br").split()
    was = {
        "existed": existed,
        "addresses": addresses(port),
        "routes": routes_in(run("ip", "-4", "route", "show", "table", "main", "dev", port)),
    }
    if not was["addresses"]:
        raise RuntimeError("%s has no address" % port)
    mac = read("/sys/class/net/%s/address" % port).strip()
    write(FOLDER + "/was.json", json.dumps(was))
    guard(request, existed)
    note("moving")
    # Its own hardware address would make the neighbours look for the host anew.
    vsctl(
        "--may-exist", "add-br", bridge,
        "--", "set", "bridge", bridge, "datapath_type=%s" % request["datapath"],
        "other-config:hwaddr=%s" % mac,
        "--", "--may-exist", "add-port", bridge, port,
    )  # fmt: skip
    run("ip", "link", "set", bridge, "up")
    # All at once: with the first address of a network the kernel takes away the others of it.
    run("ip", "-4", "address", "flush", "dev", port, "scope", "global")
    for line in batch(bridge, was):
        run("ip", *line.split())
    note("moved")
    end = time.monotonic() + request["patience"]
    while not there(FOLDER + "/confirmed"):
        if time.monotonic() > end:
            raise RuntimeError("nobody confirmed within %s seconds" % request["patience"])
        time.sleep(0.2)
    keep(request)
    note("kept")


def undo(request):
    """The end of the service, whatever came before: all stays, or all is put back."""
    state = read(FOLDER + "/state").strip()
    if state == "kept" or not there(FOLDER + "/was.json"):
        return
    if there(FOLDER + "/confirmed"):
        # Killed while it kept. The bridge works: somebody came in through it.
        keep(request)
        note("kept")
        return
    bridge, port = request["bridge"], request["port"]
    was = json.loads(read(FOLDER + "/was.json"))
    if was["existed"]:
        vsctl("--if-exists", "del-port", bridge, port)
        for address, _ in was["addresses"]:
            says("ip", "address", "del", address, "dev", bridge)
    else:
        vsctl("--if-exists", "del-br", bridge)
    run("ip", "link", "set", port, "up")
    run("ip", "-4", "address", "flush", "dev", port, "scope", "global")
    for line in batch(port, was):
        run("ip", *line.split())
    unguard()
    note("put back")


def confirm(request):
    """Have the move stay, and wait until it does."""
    if read(FOLDER + "/state").strip() == "moved":
        write(FOLDER + "/confirmed", "")
    end = time.monotonic() + 20
    while read(FOLDER + "/state").strip() == "moved" and time.monotonic() < end:
        time.sleep(0.2)
    return look(request)


def main(request):
    """See the top."""
    actions = {"look": look, "start": start, "move": move, "undo": undo, "confirm": confirm, "keep": keep}
    return actions[request["action"]](request)
