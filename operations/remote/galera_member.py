"""Runs on a member of MariaDB's cluster: what it is, and how far it got. Plain Python 3.6.

Request: ``{"unit": name, "folder": MariaDB's data, "databases": [name, …], "peers": {host: [address, port]},
"recover": bool}``: ``recover`` asks a server that does not run for its last transaction, which lets InnoDB
finish what its log has, as each start does.
Answer: ``{"active": state of the unit, "status": {variable: value} or null where no server runs, "saved":
{"uuid", "seqno", "safe"} of grastate.dat or null, "databases": [those there are], "peers": {host: whether it
accepts a connection}, "position": "uuid:number" or null}``.
"""

import os
import re
import shutil
import socket
import subprocess
import time

STATUS = "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'"


def run(argv, seconds):
    """What a command prints; RuntimeError with its own words when it fails."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=seconds,
    )
    if done.returncode:
        raise RuntimeError("%s: %s" % (argv[0], done.stderr.strip()[-500:]))
    return done.stdout


def active(unit):
    """The state of a systemd unit."""
    return run(["systemctl", "show", "--property=ActiveState", unit], 20).strip().partition("=")[2]


def status():
    """The server's variables of its cluster."""
    client = shutil.which("mariadb") or shutil.which("mysql") or "mariadb"
    argv = [client, "--protocol=socket", "--user=root", "--batch", "--skip-column-names"]
    argv += ["--connect-timeout=10", "--execute=" + STATUS]
    rows = [line.split("\t") for line in run(argv, 30).splitlines()]
    wanted = ("cluster_status", "cluster_size", "local_state_comment", "ready", "connected", "last_committed")
    return {row[0]: row[1] for row in rows if len(row) == 2 and row[0][len("wsrep_") :] in wanted}


def saved(folder):
    """grastate.dat, or None where there is none: then this was never a member."""
    try:
        with open(os.path.join(folder, "grastate.dat")) as file:
            values = dict(re.findall(r"^(\w+):\s*(\S+)", file.read(), re.MULTILINE))
    except FileNotFoundError:
        return None
    return {
        "uuid": values["uuid"],
        "seqno": int(values["seqno"]),
        "safe": values.get("safe_to_bootstrap") == "1",
    }


def accepts(address, port):
    """Whether something accepts a connection."""
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True


def position(state):
    """The last transaction: from grastate.dat, or after a crash from InnoDB's own log."""
    if state is None:
        return None
    if state["seqno"] >= 0:
        return "%s:%d" % (state["uuid"], state["seqno"])
    found = re.search(r"--wsrep_start_position=(\S+:-?\d+)", run(["galera_recovery"], 600))
    return found.group(1) if found else None


def settled(unit, seconds):
    """The unit's state and its server's variables. Between two states it is asked again."""
    end = time.monotonic() + seconds
    while True:
        state = active(unit)
        if state not in ("active", "reloading"):
            return state, None
        try:
            return state, status()
        except (RuntimeError, subprocess.TimeoutExpired):
            # It may have ended since.
            if time.monotonic() >= end:
                raise
        time.sleep(1)


def main(request):
    folder = request["folder"]
    state, variables = settled(request["unit"], 10)
    kept = saved(folder)
    if request["recover"] and state not in ("inactive", "failed"):
        raise RuntimeError("%s is %s: it must not run now" % (request["unit"], state))
    return {
        "active": state,
        "status": variables,
        "saved": kept,
        "databases": [name for name in request["databases"] if os.path.isdir(os.path.join(folder, name))],
        "peers": {host: accepts(*place) for host, place in request["peers"].items()},
        "position": position(kept) if request["recover"] else None,
    }
