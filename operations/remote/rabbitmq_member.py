"""Runs on a member of RabbitMQ's cluster: what it is, and whom it sees. Plain Python 3.6.

Request: ``{"unit": name, "node": this member's name, "queues": bool}``.
Answer: ``{"active": state of the unit, "known": [the members it remembers] or null for one that never ran,
"members": [the cluster's, as it sees them] or null where it does not run, or pauses, "running": [those that
run], "partitions": [those it lost and found], "queues": how many there are, or null where nobody asked,
"leaderless": [quorum queues without a leader], "leaders": {member: number of quorum queues}}``.
"""

import glob
import json
import os
import re
import subprocess

FOLDER = "/var/lib/rabbitmq/mnesia"


def run(*argv, seconds=60):
    """What a command prints; RuntimeError with its own words when it fails."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        timeout=seconds,
        env=dict(os.environ, LC_ALL="C.UTF-8"),
    )
    if done.returncode:
        # The last lines only: before them it tells a hash of Erlang's cookie.
        words = [line for line in (done.stderr or done.stdout).splitlines() if "cookie hash" not in line]
        raise RuntimeError("%s: %s" % (argv[0], " ".join(words[-3:])[-400:]))
    return done.stdout


def control(*words):
    """The JSON that rabbitmqctl prints."""
    return json.loads(run("rabbitmqctl", "--quiet", "--formatter", "json", *words))


def known(node):
    """The members that a server remembers, running or not; None for one that never ran."""
    try:
        with open(os.path.join(FOLDER, node, "cluster_nodes.config")) as file:
            everyone = file.read().partition("]")[0]
    except FileNotFoundError:
        # Khepri's members remember it elsewhere.
        return [node] if glob.glob(os.path.join(FOLDER, node, "coordination", "*")) else None
    return sorted(re.findall(r"[\w.-]+@[\w.-]+", everyone))


def leaders(rows):
    """(quorum queues without a leader, member -> number of quorum queues that it leads)."""
    without, count = [], {}
    for row in rows:
        if row.get("type") not in ("quorum", "rabbit_quorum_queue"):
            continue
        leader = row.get("leader")
        if leader and leader in (row.get("online") or [leader]):
            count[leader] = count.get(leader, 0) + 1
        else:
            without.append(row["name"])
    return sorted(without), count


def main(request):
    state = run("systemctl", "show", "--property=ActiveState", request["unit"]).strip().partition("=")[2]
    answer = {
        "active": state, "known": known(request["node"]), "members": None, "running": [], "partitions": [],
        "queues": None, "leaderless": [], "leaders": {},
    }  # fmt: skip
    if state not in ("active", "reloading"):
        return answer
    try:
        found = control("cluster_status")
    except RuntimeError:
        # One that paused in a minority, or failed to go on after it, runs with an empty server: that is known
        # when it can be reached at all.
        run("rabbitmqctl", "--quiet", "ping")
        return answer
    answer["members"] = sorted(set(found["disk_nodes"]) | set(found.get("ram_nodes", [])))
    answer["running"] = sorted(found["running_nodes"])
    answer["partitions"] = sorted(found.get("partitions") or {})
    if request["queues"] or answer["members"] == [request["node"]]:
        rows = control("list_queues", "name", "type", "leader", "online")
        answer["queues"] = len(rows)
        answer["leaderless"], answer["leaders"] = leaders(rows)
    return answer
