"""Hold what was found against what is expected. Pure: answers of the hosts in, a report out.

The answers are those of the programs in ``operations/remote/``; where one is missing or an error, every check
that needed it fails with that reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from cloud import expected, galera, rabbitmq, repositories
from cloud.certificates import RENEW_DAYS
from cloud.frontends import frontends
from cloud.model import INTERFACES, Cloud
from cloud.verdict import Report, heartbeats

# Seconds; the largest of the services' own defaults (neutron's).
DOWN_TIME = 75

GIB = 1024**3
POOL_FULL = 80  # percent
INTEGRATION_BRIDGE = "br-int"  # neutron's name for it
# Features of a datapath without which the firewall's flows are refused, and everything is let through.
TRACKING = ("CT state", "CT zone", "CT mark")
NOBODY = "not asked: no controller can be reached"


@dataclass
class Answers:
    """What was read.

    Attributes:
        hosts: host -> answer of ``verify_host.py``, or the reason (text) why there is none.
        clocks: host -> (its clock minus the deploying machine's, uncertainty), seconds.
        asker: the controller that asked the APIs and the databases; "": the first one.
        api, schemas, upgrades: its answers, or the reason (text) why there is none.
        left_out: hosts outside ``--limit``: nobody asked them.
    """

    hosts: dict[str, dict | str] = field(default_factory=dict)
    clocks: dict[str, tuple[float, float]] = field(default_factory=dict)
    asker: str = ""
    api: dict | str = NOBODY
    schemas: dict | str = NOBODY
    upgrades: dict | str = NOBODY
    left_out: list[str] = field(default_factory=list)


def judge(cloud: Cloud, answers: Answers) -> Report:
    """The whole report."""
    report = Report()
    _hosts(report, cloud, answers)
    _repositories(report, cloud, answers)
    _units(report, cloud, answers)
    _ports(report, cloud, answers)
    _balancers(report, cloud, answers)
    _clusters(report, cloud, answers)
    _images(report, cloud, answers)
    _clocks(report, cloud, answers)
    _security_groups(report, cloud, answers)
    _volume_groups(report, cloud, answers)
    asker = answers.asker or cloud.first("controller").name
    if asker in answers.left_out:
        report.warn("every controller is outside --limit: the APIs were not asked")
    else:
        _services(report, cloud, answers.api)
        _endpoints(report, cloud, asker, answers.api)
        _certificates(report, cloud, asker, answers.api)
        _schemas(report, cloud, asker, answers.schemas)
        _upgrades(report, cloud, asker, answers.upgrades)
    if answers.left_out:
        report.warn(f"outside --limit, not looked at: {', '.join(answers.left_out)}")
    return report


def api_request(cloud: Cloud) -> dict[str, Any]:
    """What ``verify_api.py`` is asked."""
    return {
        "admin": cloud.admin_credentials,
        "timeout": 10,
        "ca": cloud.ca_file,
        "tls": [list(place) for place in expected.tls_endpoints(cloud)],
    }


def all_reported(cloud: Cloud, api: dict | str) -> bool:
    """Whether every expected service, agent and hypervisor is up, by what the APIs answered."""
    report = Report()
    _services(report, cloud, api)
    return report.ok


def _asked(cloud: Cloud, answers: Answers) -> list[str]:
    return [name for name in cloud.nodes if name not in answers.left_out]


def _part(answer: dict | str, key: str) -> Any:
    """One part of an answer, or a text with the reason why it is not there."""
    if isinstance(answer, str):
        return answer
    if "error" in answer:
        return answer["error"]
    part = answer.get(key, "no answer")
    return part["error"] if isinstance(part, dict) and set(part) == {"error"} else part


def _hosts(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in _asked(cloud, answers):
        answer = answers.hosts.get(name, "unreachable over SSH")
        report.add(
            "Hosts",
            name,
            "answers",
            "yes",
            answer if isinstance(answer, str) else "yes",
            isinstance(answer, dict),
        )


def has_yum(cloud: Cloud, host: str) -> bool:
    """Whether a host's packages come by yum."""
    return cloud.node(host).settings.platform == "el"


def _repositories(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in _asked(cloud, answers):
        if not has_yum(cloud, name):
            continue
        wanted = cloud.sources(name)
        keys = {fingerprint: file for file, key in wanted.keys.items() for fingerprint in key.fingerprint}
        expected_keys = f"{len(keys)} imported"
        enabled = ", ".join(wanted.enabled) or "any"
        found = _part(answers.hosts.get(name, "unreachable over SSH"), "yum")
        try:
            there = repositories.parse(found["files"]) if isinstance(found, dict) else None
        except ValueError as problem:
            found, there = str(problem), None
        if there is None:
            report.add("Repositories", name, "enabled", enabled, found, False)
            continue
        comparison = repositories.compare(wanted, there)
        report.add("Repositories", name, "enabled", enabled, comparison.text, comparison.ok)
        if keys:
            lacking = [f"{file} ({key})" for key, file in keys.items() if key not in found["imported"]]
            text = f"not imported: {', '.join(lacking)}" if lacking else expected_keys
            report.add("Repositories", name, "keys", expected_keys, text, not lacking)
        for warning in repositories.warnings(wanted, there):
            report.warn(f"{name}: {warning}")


def _units(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in _asked(cloud, answers):
        found = _part(answers.hosts.get(name, "unreachable over SSH"), "units")
        for unit in expected.units(cloud, name):
            if isinstance(found, str):
                report.add("Units", name, unit, "active, enabled", found, False)
                continue
            state = found.get(unit, {"active": "no answer", "sub": "", "enabled": "", "restarts": 0})
            running = state["active"] == "active"
            starts = state["enabled"] not in ("disabled", "masked", "masked-runtime", "")
            text = f"{state['active']} ({state['sub']}), {state['enabled'] or 'no such unit'}"
            report.add("Units", name, unit, "active, enabled", text, running and starts)
            if state["restarts"]:
                report.warn(
                    f"{unit} on {name} was restarted {state['restarts']} times by systemd after a crash"
                )


def _ports(report: Report, cloud: Cloud, answers: Answers) -> None:
    for port in expected.ports(cloud):
        if port.host in answers.left_out:
            continue
        found = _part(answers.hosts.get(port.host, "unreachable over SSH"), "ports")
        where = f"{port.address}:{port.port}"
        reason = found if isinstance(found, str) else found[where]
        report.add(
            "Ports", port.host, f"{port.service} {where}", "listening", reason or "listening", reason is None
        )


def _balancers(report: Report, cloud: Cloud, answers: Answers) -> None:
    """One host holds the address, and every load balancer has somebody to hand each port on to."""
    asked = [node.name for node in cloud.doing("loadbalancer") if node.name not in answers.left_out]
    if not asked:
        return
    states = {name: _part(answers.hosts.get(name, "unreachable over SSH"), "holds") for name in asked}
    address, holders = cloud.settings.virtual_address, [name for name in asked if states[name] is True]
    silent = [f"{name}: {state}" for name, state in states.items() if isinstance(state, str)]
    if len(asked) < len(cloud.doing("loadbalancer")) and not holders:
        report.warn(f"{address}: a load balancer outside --limit may hold it")
    else:
        text = "; ".join([" and ".join(holders) or "nobody", *silent])
        report.add("Load balancers", str(address), "held by", "one host", text, len(holders) == 1)
    for name in asked:
        found = _part(answers.hosts.get(name, "unreachable over SSH"), "servers")
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


def _clusters(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in expected.members(cloud):
        if name in answers.left_out:
            continue
        count, answer = len(expected.members(cloud)), answers.hosts.get(name, "unreachable over SSH")
        found = _part(answer, "galera")
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
        _queue(report, cloud, name, _part(answer, "rabbitmq"))


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


def _images(report: Report, cloud: Cloud, answers: Answers) -> None:
    """Controllers have each other's images; one that was just uploaded is on its way."""
    for name in _asked(cloud, answers):
        if not expected.mirrors(cloud, name):
            continue
        found, failed = _part(answers.hosts.get(name, "unreachable over SSH"), "images"), True
        if isinstance(found, dict):
            missing, failed = ", ".join(found["missing"]), found["failed"]
            cause = "journalctl -u openstack-images says why"
            found = f"missing: {missing}" if missing else "all are here"
            if failed:
                found += f"; the last run failed, {cause}"
            elif missing:
                report.warn(f"{name} lacks images: {missing}; {cause}")
        report.add("Images", name, "images of the other controllers", "all are here", found, not failed)


def _clocks(report: Report, cloud: Cloud, answers: Answers) -> None:
    reference = cloud.first("controller").name
    limit = cloud.settings.clock_offset_limit
    if reference in answers.left_out:
        report.warn(f"{reference} is outside --limit: the clocks were not compared with its clock")
        return
    base = answers.clocks.get(reference)
    for name in _asked(cloud, answers):
        own = answers.clocks.get(name)
        check, want = f"offset to {reference}", f"within {limit} s"
        if own is None or base is None:
            missing = name if own is None else reference
            report.add("Clocks", name, check, want, f"{missing} did not tell its time", False)
            continue
        offset, error = own[0] - base[0], own[1] + (0 if name == reference else base[1])
        # What the measurement itself may be off by is not held against the clock.
        ok = abs(offset) - error <= limit
        report.add("Clocks", name, check, want, f"{offset:+.3f} s (± {error:.3f})", ok)


def _security_groups(report: Report, cloud: Cloud, answers: Answers) -> None:
    for name in _asked(cloud, answers):
        if "openvswitch" not in cloud.network_agents(name):
            continue
        check, want = "Open vSwitch tracks connections", "state, zone, mark"
        found = _part(answers.hosts.get(name, "unreachable over SSH"), "tracking")
        if isinstance(found, str):
            report.add("Security groups", name, check, want, found, False)
            continue
        missing = [feature for feature in TRACKING if not found.get(feature)]
        text = f"its datapath has no {', '.join(missing)}: nothing is blocked" if missing else want
        report.add("Security groups", name, check, want, text, not missing)


def _volume_groups(report: Report, cloud: Cloud, answers: Answers) -> None:
    group = cloud.settings.volume_group
    for node in cloud.doing("storage"):
        if node.name in answers.left_out:
            continue
        found = _part(answers.hosts.get(node.name, "unreachable over SSH"), "volume_group")
        if isinstance(found, str):
            report.add("Volume groups", node.name, group, "present", found, False)
            continue
        text = f"{found['size'] / GIB:.1f} GiB, {found['free'] / GIB:.1f} GiB free"
        if found["pool"] is not None:
            text += f", thin pool {found['pool']:.0f} % full"
            if found["pool"] >= POOL_FULL:
                report.warn(f"{group} on {node.name}: a full thin pool stops every volume in it; add a disk")
        text += f", {found['volumes']} volumes"
        report.add("Volume groups", node.name, group, "present", text, found["size"] > 0)


def _services(report: Report, cloud: Cloud, api: dict | str) -> None:
    limit = cloud.settings.service_down_time or DOWN_TIME
    for section, key, wanted in (
        ("Compute services", "nova_services", expected.nova_services(cloud)),
        ("Network agents", "neutron_agents", expected.neutron_agents(cloud)),
        ("Volume services", "cinder_services", expected.cinder_services(cloud)),
    ):
        found = _part(api, key)
        if isinstance(found, str):
            for host, name in wanted:
                report.add(section, host, name, "up", found, False)
        else:
            heartbeats(report, section, wanted, found, limit)
    _volume_pools(report, cloud, _part(api, "volume_pools"))
    found = _part(api, "hypervisors")
    for host in expected.hypervisors(cloud):
        if isinstance(found, str):
            state = found
        else:
            known = {item["host"]: "up" if item["up"] else "down" for item in found}
            state = known.get(host, "not registered")
        report.add("Hypervisors", host, "hypervisor", "up", state, state == "up")


def _volume_pools(report: Report, cloud: Cloud, found: list[dict] | str) -> None:
    """A volume service sends heartbeats while its driver starts, and every volume fails until it has."""
    for backend in expected.volume_backends(cloud):
        if isinstance(found, str):
            text, ok = found, False
        else:
            mine = [pool for pool in found if pool["backend"] == backend]
            ok = any(pool["up"] for pool in mine)
            if not mine:
                text = "no pool: its driver is still starting, or can't (see cinder-volume's log there)"
            else:
                state = "" if ok else ", down"
                text = ", ".join(f"{pool['free']} GiB free" for pool in mine) + state
        report.add("Volume pools", backend, "can take volumes", "free space", text, ok)


def _endpoints(report: Report, cloud: Cloud, host: str, api: dict | str) -> None:
    found = _part(api, "endpoints")
    for service in cloud.services.values():
        for entry, interface in product(service.spec.entries, INTERFACES):
            check = f"{entry.name} {interface}"
            url = service.url(interface, entry.path)
            if isinstance(found, str):
                report.add("Endpoints", host, check, url, found, False)
                continue
            matching = [
                item
                for item in found
                if item["service"] == entry.name
                and item["interface"] == interface
                and item["region"] == cloud.settings.region
            ]
            if len(matching) != 1:
                report.add("Endpoints", host, check, url, f"{len(matching)} endpoints in the catalog", False)
                continue
            item = matching[0]
            answered = isinstance(item["status"], int) and item["status"] < 500
            state = f"answers {item['status']}" if answered else f"no answer: {item['status']}"
            if item["url"] != url:
                state += f", but its URL is {item['url']}"
            report.add("Endpoints", host, check, url, state, answered and item["url"] == url)


def _certificates(report: Report, cloud: Cloud, host: str, api: dict | str) -> None:
    """What each endpoint showed the controller that asked, and whether a user's program would accept it."""
    found = _part(api, "certificates")
    for address, port in expected.tls_endpoints(cloud):
        place = f"{address}:{port}"
        left = found if isinstance(found, str) else found.get(place, "no answer")
        if isinstance(left, str):
            report.add("Certificates", host, place, "trusted", left, False)
            continue
        report.add("Certificates", host, place, "trusted", f"{left:.0f} days left", left > 0)
        if left < RENEW_DAYS:
            report.warn(f"the certificate of {place} ends in {left:.0f} days: renew it (docs/tls.md)")


def _schemas(report: Report, cloud: Cloud, host: str, schemas: dict | str) -> None:
    for service in cloud.services.values():
        for schema in service.spec.schemas:
            found = _part(schemas, schema.database)
            if isinstance(found, str):
                report.add("Schemas", host, schema.database, "at head", found, False)
                continue
            heads, versions = sorted(found["heads"]), sorted(found["found"])
            at_head = bool(heads) and heads == versions
            text = (
                "at head" if at_head else f"at {', '.join(versions) or 'nothing'}, head is {', '.join(heads)}"
            )
            report.add("Schemas", host, schema.database, "at head", text, at_head)


def _upgrades(report: Report, cloud: Cloud, host: str, upgrades: dict | str) -> None:
    for service in cloud.services.values():
        if not service.spec.status_command:
            continue
        command = f"{service.spec.status_command} upgrade check"
        found = _part(upgrades, service.name)
        if isinstance(found, str):
            report.add("Upgrade checks", host, command, "success", found, False)
            continue
        status = found["status"]
        text = {0: "success", 1: "success, with warnings"}.get(status)
        if text is None:
            reasons = upgrade_findings(found["output"]) or [found["output"][-300:]]
            text = f"status {status}: {'; '.join(reasons)}"
        report.add("Upgrade checks", host, command, "success", text, status in (0, 1))
        for finding in upgrade_findings(found["output"]):
            report.warn(f"{command}: {finding}")


def upgrade_findings(output: str) -> list[str]:
    """The checks in the output of an ``upgrade check`` that did not succeed: ``RESULT: CHECK: DETAILS``.

    Source: oslo.upgradecheck prints a box for each check, with the lines ``Check:``, ``Result:`` and
    ``Details:``, which may go on for some lines.
    """
    checks: list[dict[str, str]] = []
    key = ""
    for line in output.splitlines():
        text = line.strip().strip("|").strip()
        if not line.startswith("|") or not text:
            continue
        label, separator, value = text.partition(": ")
        if separator and label in ("Check", "Result", "Details"):
            key = label
            if key == "Check":
                checks.append({})
            if checks:
                checks[-1][key] = value
        elif checks and key:
            checks[-1][key] += f" {text}"
    return [
        f"{check['Result']}: {check.get('Check')}: {check.get('Details')}"
        for check in checks
        if check.get("Result", "Success") != "Success"
    ]
