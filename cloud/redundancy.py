"""What verify says of all that is there more than once: load balancers, clusters, keys, images. Pure."""

from __future__ import annotations

from cloud import expected, galera, keystone_keys, rabbitmq
from cloud.frontends import frontends
from cloud.model import Cloud
from cloud.verdict import Answers, Report, part


def balancers(report: Report, cloud: Cloud, answers: Answers) -> None:
    """One host holds the address, and every load balancer has somebody to hand each port on to."""
    asked = [node.name for node in cloud.doing("loadbalancer") if node.name not in answers.left_out]
    if not asked:
        return
    states = {name: part(answers.hosts.get(name, "unreachable over SSH"), "holds") for name in asked}
    address, holders = cloud.settings.virtual_address, [name for name in asked if states[name] is True]
    silent = [f"{name}: {state}" for name, state in states.items() if isinstance(state, str)]
    if len(asked) < len(cloud.doing("loadbalancer")) and not holders:
        report.warn(f"{address}: a load balancer outside --limit may hold it")
    else:
        text = "; ".join([" and ".join(holders) or "nobody", *silent])
        report.add("Load balancers", str(address), "held by", "one host", text, len(holders) == 1)
    for name in asked:
        found = part(answers.hosts.get(name, "unreachable over SSH"), "servers")
        known = {} if isinstance(found, str) else {(item["proxy"], item["server"]): item for item in found}
        for front in frontends(cloud):
            for server, _ in front.servers:
                check = f"{front.name}: {server}"
                if isinstance(found, str):
                    report.add("Load balancers", name, check, "UP", found, False)
                    continue
                item = known.get((front.name, server), {"status": "unknown to haproxy", "check": ""})
                up = item["status"] == "UP"
                text = item["status"] if up or not item["check"] else f"{item['status']} ({item['check']})"
                report.add("Load balancers", name, check, "UP", text, up)


def clusters(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in expected.members(cloud):
        if name in answers.left_out:
            continue
        count, answer = len(expected.members(cloud)), answers.hosts.get(name, "unreachable over SSH")
        found = part(answer, "galera")
        want, ok = f"Primary, Synced, {count} of {count} members", False
        if isinstance(found, dict):
            status = found["status"] or {}
            words = [
                status.get(f"wsrep_{key}") or "no answer" for key in ("cluster_status", "local_state_comment")
            ]
            ready = "" if galera.serves(found) else ", not ready"
            ok = galera.synced(found) and galera.size(found) == count
            found = f"{', '.join(words)}, {galera.size(found)} of {count} members{ready}"
        report.add("Clusters", name, "MariaDB", want, found, ok)
        _queue(report, cloud, name, part(answer, "rabbitmq"))


def _queue(report: Report, cloud: Cloud, name: str, found: dict | str) -> None:
    """A member of RabbitMQ's cluster."""
    members = expected.members(cloud)
    want = f"{len(members)} of {len(members)} members, no partition"
    if isinstance(found, str):
        report.add("Clusters", name, "RabbitMQ", want, found, False)
        return
    lost = f"partitions: {', '.join(found['partitions'])}" if found["partitions"] else "no partition"
    text = f"{len(found['running'])} of {len(found['members'] or [])} members, {lost}"
    report.add("Clusters", name, "RabbitMQ", want, text, rabbitmq.whole(found, members))
    if name != members[0]:
        return
    leaders = ", ".join(f"{node.partition('@')[2]} {n}" for node, n in sorted(found["leaders"].items()))
    text = f"leaders of quorum queues: {leaders or 'none'}"
    if found["leaderless"]:
        text = f"without a leader: {', '.join(found['leaderless'])}"
    report.add("Clusters", name, "quorum queues", "each has a leader", text, not found["leaderless"])


def keys(report: Report, cloud: Cloud, answers: Answers) -> None:
    """Every controller's keystone reads what the others' have signed and encrypted."""
    if not expected.keys(cloud):
        return
    asked = answers.asked(expected.keys(cloud))
    found = {name: part(answers.hosts.get(name, "unreachable over SSH"), "keys") for name in asked}
    known = {name: answer for name, answer in found.items() if isinstance(answer, dict)}
    for repository in keystone_keys.FOLDERS:
        apart = keystone_keys.apart(repository, known)
        for name, answer in found.items():
            text = answer if isinstance(answer, str) else "others" if name in apart else "the same"
            report.add(
                "Clusters", name, f"keystone's {repository} keys", "the same", text, text == "the same"
            )


def images(report: Report, cloud: Cloud, answers: Answers) -> None:
    """Controllers have each other's images; one that was just uploaded is on its way."""
    for name in answers.asked(cloud.nodes):
        if not expected.mirrors(cloud, name):
            continue
        found, failed = part(answers.hosts.get(name, "unreachable over SSH"), "images"), True
        if isinstance(found, dict):
            missing, failed = ", ".join(found["missing"]), found["failed"]
            cause = "journalctl -u openstack-images says why"
            found = f"missing: {missing}" if missing else "all are here"
            if failed:
                found += f"; the last run failed, {cause}"
            elif missing:
                report.warn(f"{name} lacks images: {missing}; {cause}")
        report.add("Images", name, "images of the other controllers", "all are here", found, not failed)
