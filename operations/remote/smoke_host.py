"""Runs on every host for the smoke test: can it log in by iSCSI, and what is left of removed resources?

Request: ``{"ids": [ID, …], "names": [network namespace, …], "limit": seconds}``.
Answer: ``{"initiator": whether the kernel has one, "left": [what, …]}``; traces are waited for to go, as
agents remove them a little after the API has said so. Plain Python 3.6.
"""

import os
import subprocess
import time


def output(*argv):
    """What a command prints; nothing when it is not there or has nothing to tell."""
    try:
        done = subprocess.run(
            list(argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            universal_newlines=True,
            timeout=60,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def names():
    """(what, name) of all that carries the ID of a resource in its name."""
    found = [("network namespace", line.split()[0]) for line in (output("ip", "netns") or "").splitlines()]
    found += [
        ("logical volume", line.strip())
        for line in (output("lvs", "--noheadings", "-o", "lv_name") or "").splitlines()
    ]
    found += [
        ("iSCSI session", line.split()[3])
        for line in (output("iscsiadm", "-m", "session") or "").splitlines()
        if len(line.split()) > 3
    ]
    found += [
        ("iSCSI target", name)
        for name in listed("/sys/kernel/config/target/iscsi")
        if name.startswith("iqn.")
    ]
    found += [
        ("virtual machine", line) for line in (output("virsh", "list", "--all", "--uuid") or "").split()
    ]
    found += [("folder of an instance", name) for name in listed("/var/lib/nova/instances")]
    return found


def bridges(identifiers):
    """The Linux bridges of networks: an interface's name has only a part of the ID."""
    wanted = {"brq" + identifier[:11] for identifier in identifiers}
    return [("bridge", name) for name in listed("/sys/class/net") if name in wanted]


def listed(folder):
    try:
        return os.listdir(folder)
    except OSError:
        return []


def left(request):
    return [
        "%s %s" % (what, name)
        for what, name in names()
        if name in request["names"] or any(identifier in name for identifier in request["ids"])
    ] + ["%s %s" % found for found in bridges(request["ids"])]


def main(request):
    end = time.monotonic() + request["limit"]
    found = left(request)
    while found and time.monotonic() < end:
        time.sleep(1)
        found = left(request)
    return {"initiator": output("modprobe", "iscsi_tcp") is not None, "left": found}
