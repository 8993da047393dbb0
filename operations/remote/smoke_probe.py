"""Runs on the first network host for the smoke test: a machine in the provider network that asks instances.

The machine is a network namespace with a port of the provider bridge and the address of a neutron port, so
that it takes nobody's address and needs none of the host's own: on most clouds the hosts have no address in
the provider network. What it sends takes the whole path: bridge, router, tunnel, security group.

Request: ``{"name", "switch", "bridge", "probe": {"address", "prefix", "mac", "vlan"}, "asks": [ask, …]}``;
"switch" says what kind of bridge it is, openvswitch or linuxbridge. Without a probe the machine is removed.
An ask is ``{"do": "ping" | "connect" | "get", "address", "port", "path", "until": text or null, "limit":
seconds}``; "get" is asked again until the answer has the text.
Answer: ``[{"ok": bool, "text": answer or reason}, …]``. Plain Python 3.6.
"""

import ctypes
import os
import re
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000


def run(*argv, check=True):
    done = subprocess.run(
        list(argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=60
    )
    if check and done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(argv), done.stdout.strip()))
    return done


def outer(name):
    """The end of the cable that is in a Linux bridge."""
    return name + "-out"


def unplug(name, switch, bridge):
    if switch == "openvswitch":
        run("ovs-vsctl", "--if-exists", "del-port", bridge, name)
    elif os.path.exists("/sys/class/net/" + outer(name)):
        run("ip", "link", "delete", outer(name))
    if os.path.exists("/run/netns/" + name):
        run("ip", "netns", "delete", name)


def plug(name, switch, bridge, probe):
    if os.path.exists("/run/netns/" + name):
        return
    run("ip", "netns", "add", name)
    if switch == "openvswitch":
        tag = ["tag=%d" % probe["vlan"]] if probe["vlan"] else []
        run(
            *["ovs-vsctl", "--may-exist", "add-port", bridge, name] + tag,
            *["--", "set", "Interface", name, "type=internal", 'mac="%s"' % probe["mac"]],
        )
        run("ip", "link", "set", name, "netns", name)
    else:
        # A network's bridge is in its VLAN already.
        peer = ["peer", "name", name, "address", probe["mac"], "netns", name]
        run("ip", "link", "add", outer(name), "type", "veth", *peer)
        run("ip", "link", "set", outer(name), "master", bridge, "up")
    inside = ["ip", "-n", name]
    run(*inside, "address", "add", "%s/%d" % (probe["address"], probe["prefix"]), "dev", name)
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "link", "set", name, "up")


def enter(name):
    """From here on this process, and what it starts, is in the namespace (os.setns needs Python 3.12)."""
    with open("/run/netns/" + name) as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def ping(ask):
    done = run("ping", "-n", "-c", "1", "-W", "2", ask["address"], check=False)
    match = re.search(r"time=(\S+ ms)", done.stdout)
    return bool(match), match.group(1) if match else "no answer"


def connect(ask):
    try:
        socket.create_connection((ask["address"], ask["port"]), timeout=5).close()
    except OSError as error:
        return False, str(error)
    return True, "connected"


def get(ask):
    with socket.create_connection((ask["address"], ask["port"]), timeout=5) as connection:
        connection.settimeout(max(5, ask["limit"]))
        connection.sendall(("GET %s HTTP/1.0\r\n\r\n" % ask["path"]).encode())
        answer = b""
        while True:
            more = connection.recv(4096)
            if not more:
                break
            answer += more
    head, _, body = answer.decode(errors="replace").partition("\r\n\r\n")
    return "200" in head.split("\r\n")[0] and (ask["until"] or "") in body, body.strip() or head


def patiently(ask):
    end = time.monotonic() + ask["limit"]
    while True:
        try:
            ok, text = {"ping": ping, "connect": connect, "get": get}[ask["do"]](ask)
        except OSError as error:
            ok, text = False, str(error)
        if ok or time.monotonic() > end:
            return {"ok": ok, "text": text}
        time.sleep(1)


def main(request):
    try:
        if not request["probe"]:
            unplug(request["name"], request["switch"], request["bridge"])
            return []
        plug(request["name"], request["switch"], request["bridge"], request["probe"])
        enter(request["name"])
        return [patiently(ask) for ask in request["asks"]]
    except Exception as error:
        return {"error": str(error)}
