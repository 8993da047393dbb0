"""Runs on every host for verify: ports, units, volume group, Open vSwitch, yum, haproxy, images. Reads only.

Plain Python 3.6.

Request: ``{"ports": [[address, port], …], "units": [name, …], "volume_group": name or null, "bridge": name or
null, "patience": seconds, "yum": bool, "address": address or null, "proxy": path or null, "images": path or
null}``: for so long the bridge may take to appear, and haproxy to see its servers up; whether there is yum;
the load balancers' shared address, and haproxy's socket; what fetches images from other controllers.
Answer: ``{"ports": {"address:port": reason or null}, "units": {name: state}, "volume_group": {…}, "tracking":
{feature: whether the bridge's datapath has it} or null, "yum": {"files": {path: text}, "imported":
[fingerprint of each key that rpm knows, …]} or null, "holds": whether the address is here, or null,
"servers": [{"proxy": …, "server": …, "status": …, "check": …}, …] as haproxy tells, or null, "images":
{"missing": [ID, …], "failed": whether the last run of what fetches them failed} or null}``.
"""

import csv
import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import time


def listening(address, port):
    """None when something accepts a connection, else the reason."""
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError as error:
        return str(error)
    return None


def units(names):
    """State of each unit, as ``active (running), enabled``."""
    if not names:
        return {}
    wanted = ["Id", "ActiveState", "SubState", "UnitFileState", "NRestarts"]
    shown = subprocess.run(
        ["systemctl", "show", "--property", ",".join(wanted)] + names,
        stdout=subprocess.PIPE,
        universal_newlines=True,
        timeout=20,
        check=True,
    ).stdout
    blocks = [
        dict(line.split("=", 1) for line in block.splitlines()) for block in shown.strip().split("\n\n")
    ]
    return {
        name: {
            "active": block.get("ActiveState"),
            "sub": block.get("SubState"),
            "enabled": block.get("UnitFileState"),
            "restarts": int(block.get("NRestarts") or 0),
        }
        for name, block in zip(names, blocks)
    }


def lvm(command, columns, name):
    """Rows of one of LVM's reports on a volume group; sizes in bytes."""
    found = subprocess.run(
        [command, "--reportformat", "json", "--units", "b", "--nosuffix", "-o", columns, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
    )
    if found.returncode:
        raise RuntimeError(found.stderr.strip())
    return json.loads(found.stdout)["report"][0][command[:-1]]


def volume_group(name):
    """Size and free space in bytes, number of volumes, and how full the thin pool is (percent or null)."""
    if not name:
        return None
    group = lvm("vgs", "vg_size,vg_free,lv_count", name)[0]
    volumes = lvm("lvs", "lv_attr,data_percent", name) if int(group["lv_count"]) else []
    pools = [volume for volume in volumes if volume["lv_attr"].startswith("t")]
    return {
        "size": int(group["vg_size"]),
        "free": int(group["vg_free"]),
        "volumes": len(volumes) - len(pools),
        "pool": max((float(pool["data_percent"] or 0) for pool in pools), default=None),
    }


def tracking(bridge, patience):
    """What Open vSwitch's datapath has of connection tracking, by the switch's own names.

    Right after a deploy neutron's agent has not made its bridge yet: it is waited for.
    """
    if not bridge:
        return None
    end = time.monotonic() + patience
    while True:
        found = subprocess.run(
            ["ovs-appctl", "--timeout=10", "dpif/show-dp-features", bridge],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=20,
        )
        if not found.returncode:
            break
        if "no such bridge" not in found.stderr or time.monotonic() >= end:
            raise RuntimeError(found.stderr.strip())
        time.sleep(2)
    features = [line.split(": ", 1) for line in found.stdout.splitlines() if line.startswith("CT ")]
    return {name: value == "Yes" for name, value in features}


def yum(wanted):
    """yum's files, and the fingerprints of the keys that rpm knows: each is a package's description."""
    if not wanted:
        return None
    files = {}
    for path in ["/etc/yum.conf", "/etc/dnf/dnf.conf"] + sorted(glob.glob("/etc/yum.repos.d/*.repo")):
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                files[path] = file.read()
    keys = subprocess.run(
        ["rpm", "-q", "gpg-pubkey", "--queryformat", "%{DESCRIPTION}\n"],
        stdout=subprocess.PIPE,
        timeout=20,
    ).stdout
    with tempfile.TemporaryDirectory() as home:
        listed = subprocess.run(
            ["gpg", "--homedir", home, "--batch", "--no-tty", "--with-colons", "--with-fingerprint"],
            input=keys,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
        ).stdout.decode()
    imported, key = [], False
    for fields in (line.split(":") for line in listed.splitlines()):
        if fields[0] == "fpr" and key:
            imported.append(fields[9])
        key = fields[0] == "pub"
    return {"files": files, "imported": sorted(imported)}


def holds(address):
    """Whether an address is on an interface of this host."""
    if not address:
        return None
    shown = subprocess.run(
        ["ip", "-o", "-4", "address", "show"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        timeout=20,
        check=True,
    ).stdout
    return any(line.split()[3].partition("/")[0] == address for line in shown.splitlines())


def servers(path, patience):
    """What haproxy thinks of the servers behind it. Right after a start it has not asked them all yet."""
    if not path:
        return None
    end = time.monotonic() + patience
    while True:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(10)
            asked.connect(path)
            asked.sendall(b"show stat\n")
            text = b"".join(iter(lambda: asked.recv(65536), b"")).decode()
        rows = list(csv.DictReader(text.lstrip("# ").splitlines()))
        found = [
            {
                "proxy": row["pxname"],
                "server": row["svname"],
                "status": row["status"],
                "check": " ".join(part for part in (row["check_status"], row.get("last_chk")) if part),
            }
            for row in rows
            if row["svname"] not in ("FRONTEND", "BACKEND")
        ]
        if all(server["status"] == "UP" for server in found) or time.monotonic() >= end:
            return found
        time.sleep(1)


def images(program):
    """Which of glance's images are missing here."""
    if not program:
        return None
    found = subprocess.run(
        [sys.executable, program, "--missing"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=60,
    )
    if found.returncode:
        raise RuntimeError(found.stderr.strip())
    state = subprocess.run(
        ["systemctl", "is-failed", "openstack-images.service"],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        timeout=20,
    ).stdout.strip()
    return {"missing": found.stdout.split(), "failed": state == "failed"}


def attempt(function, *arguments):
    """What the function answers, or {"error": reason}: one broken tool must not hide the other answers."""
    try:
        return function(*arguments)
    except Exception as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}


def main(request):
    return {
        "ports": {"%s:%d" % (a, p): listening(a, p) for a, p in request["ports"]},
        "units": attempt(units, request["units"]),
        "volume_group": attempt(volume_group, request["volume_group"]),
        "tracking": attempt(tracking, request["bridge"], request["patience"]),
        "yum": attempt(yum, request["yum"]),
        "holds": attempt(holds, request.get("address")),
        "servers": attempt(servers, request.get("proxy"), request["patience"]),
        "images": attempt(images, request.get("images")),
    }
