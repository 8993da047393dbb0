"""The smoke test: what is made, what must be seen, and the verdict. Pure: answers in, report out.

On each compute host an instance boots, is reached through a floating IP, and is stopped and rebooted. Where
the host's kernel can log in by iSCSI there is a second one, which reads from a volume what the first wrote.
What the cloud does not have is left out, with a line that says so: without self-service networks the
instances are directly in the provider network.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from cloud.model import DOMAIN, Cloud
from cloud.verdict import Report

# The project, the start of every name in it, and the probe's network namespace and port (15 letters at most).
NAME = "smoke-test"
# RFC 5737: a network for documentation, which nobody has. For a cloud without a provider network.
EXTERNAL_CIDR = "203.0.113.0/24"
CIDR = "192.168.222.0/24"
# Where its files lie on the first controller while they are uploaded.
FOLDER = f"/var/tmp/{NAME}"
# Its private half was thrown away.
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINKXcQwbl9w75bWghRaIof6D5ujDSVGUkHEKf+C/xxvm smoke-test"
USER_DATA = "a line for the smoke test"
OPEN, CLOSED = 80, 8080  # the image serves the same on both; the security group allows the first
SSH = 22  # of an image that is not ours
MEGABYTES = 8  # written to a volume and read again
VOLUME_SIZE = 1  # GiB

# Seconds at most.
LIMITS = {
    "upload": 300,
    "active": 300,
    "boot": 240,
    "power": 180,
    "volume": 240,
    "remove": 240,
    "reach": 60,
    "traces": 60,
}
# How the Linux bridge agent calls a network's bridge: with this much of the network's ID.
BRIDGE = "brq{:.11}"
ACTIONS = ("soft reboot", "hard reboot", "stop", "start")
IMAGE_PARTS = ("kernel", "initramfs", "disk")


def first_of(compute: str) -> str:
    """The name of a compute host's instance."""
    return f"{NAME}-{compute}"


def second_of(compute: str) -> str:
    """The name of the instance that reads what the first wrote."""
    return f"{NAME}-{compute}-2"


def plan(cloud: Cloud, initiators: dict[str, bool]) -> dict[str, Any]:
    """What ``operations/remote/smoke.py`` is to make.

    Args:
        cloud: the model; ``smoke_image`` is set.
        initiators: compute host -> whether its kernel can log in by iSCSI.
    """
    image = cloud.settings.smoke_image
    stores = "cinder" in cloud.services
    able = [compute for compute, can in initiators.items() if can and stores]
    servers = [{"name": first_of(compute), "host": compute} for compute in initiators]
    servers += [{"name": second_of(compute), "host": compute} for compute in able]
    volumes = [{"name": c, "servers": [first_of(c), second_of(c)]} for c in able]
    ports = (OPEN,) if image.tiny else (SSH,)
    return {
        "name": NAME,
        "description": "Made by the smoke test, and removed by it",
        "domain": DOMAIN,
        "zone": "nova",
        "self_service": cloud.self_service,
        "stores": stores,
        "cidr": CIDR,
        "external": {"physical_network": cloud.settings.provider_network, "cidr": EXTERNAL_CIDR},
        "rules": [
            {"protocol": "icmp"},
            *({"protocol": "tcp", "port_range_min": port, "port_range_max": port} for port in ports),
        ],
        "flavor": {"vcpus": 1, "ram": image.memory, "disk": image.flavor_disk},
        "image": {
            **{part: f"{FOLDER}/{part}" if getattr(image, part) else None for part in IMAGE_PARTS},
            "disk_format": image.disk_format,
            "properties": image.properties,
            "tiny": image.tiny,
        },
        "public_key": PUBLIC_KEY,
        "user_data": USER_DATA,
        "servers": servers,
        # Without an iSCSI initiator anywhere, one that is only made, copied and removed.
        "volumes": volumes or ([{"name": NAME, "servers": []}] if stores else []),
        "power": [first_of(compute) for compute in initiators],
        "volume_size": VOLUME_SIZE,
        "limits": LIMITS,
    }


def bridge(cloud: Cloud, made: Any) -> str:
    """The bridge on the network host that the probe is plugged into; "" where nothing was made."""
    if cloud.openvswitch:
        return cloud.settings.provider_bridge
    return BRIDGE.format(made["network"]) if isinstance(made, dict) else ""


def address_of(server: dict[str, Any]) -> str:
    """Where the probe reaches a server, whose own address is in the provider network if it has no other."""
    return server["floating"] or server["fixed"]


def reach(plan: dict[str, Any], made: dict[str, Any]) -> list[dict[str, Any]]:
    """What the probe asks every first instance: (server, what) in the order of the answers."""
    asks = []
    for server in made["servers"]:
        if server["name"] not in plan["power"]:
            continue
        if plan["image"]["tiny"]:
            service = {"do": "get", "path": "/cgi-bin/hostname", "until": server["name"], "port": OPEN}
        else:
            service = {"do": "connect", "port": SSH}
        for what, ask in (
            ("ping", {"do": "ping", "limit": LIMITS["reach"]}),
            ("service", {**service, "limit": LIMITS["reach"]}),
            ("blocked", {"do": "connect", "port": CLOSED, "limit": 0}),
        ):
            asks.append({"server": server["name"], "what": what, "address": address_of(server), **ask})
    return asks


def content(compute: str) -> tuple[str, str]:
    """(the line a volume is filled with, the SHA-256 of all of it)."""
    line = f"{NAME}-{hashlib.sha256(compute.encode()).hexdigest()[:16]}"
    size = MEGABYTES * 2**20
    text = f"{line}\n".encode()
    return line, hashlib.sha256((text * (size // len(text) + 1))[:size]).hexdigest()


def on_volumes(plan: dict[str, Any], made: dict[str, Any], attached: list[str], do: str) -> list[dict]:
    """What the probe asks the guests that have a volume now.

    Args:
        plan, made: what was to be made, and what was.
        attached: the volumes that are attached.
        do: ``write``, to the first instance, or ``read``, to the second.
    """
    addresses = {server["name"]: address_of(server) for server in made["servers"]}
    asks = []
    for volume in plan["volumes"]:
        if volume["name"] not in attached or not volume["servers"] or not plan["image"]["tiny"]:
            continue
        server = volume["servers"][0 if do == "write" else 1]
        line, _ = content(volume["name"])
        disk = {"port": OPEN, "address": addresses[server], "server": volume["name"]}
        size = str(VOLUME_SIZE * 2**30)
        asks.append(
            {
                **disk,
                "what": "seen",
                "do": "get",
                "path": "/cgi-bin/disks",
                "until": f"vdb {size}",
                "limit": 60,
            }
        )
        path = f"write?vdb&{line}&{MEGABYTES}" if do == "write" else f"read?vdb&{MEGABYTES}"
        asks.append(
            # Up to a minute for the answer: a volume in a lab is slow.
            {**disk, "what": do, "do": "get", "path": f"/cgi-bin/{path}", "until": None, "limit": 60}
        )
    return asks


@dataclass
class Answers:
    """What was found. Each phase: what its program answered, or the reason (text) why there is none.

    Attributes:
        initiators: compute host -> whether its kernel can log in by iSCSI.
        phases: name -> answer of ``smoke.py``: ``cleared``, ``make``, ``boot``, …, ``remove``.
        guests: name -> [(server or compute host, what, ok, text), …]: ``reach``, ``write``, ``read``.
        left: host -> what it has still of removed resources.
    """

    initiators: dict[str, bool] = field(default_factory=dict)
    phases: dict[str, dict | str] = field(default_factory=dict)
    guests: dict[str, list[tuple[str, str, bool, str]] | str] = field(default_factory=dict)
    left: dict[str, list[str] | str] = field(default_factory=dict)


def judge(cloud: Cloud, answers: Answers) -> Report:
    """The whole report."""
    report = Report()
    controller = cloud.first("controller").name
    for phase, what in (("cleared", "what an earlier run left is removed"), ("make", "resources are made")):
        answer = answers.phases.get(phase, "not asked")
        ok = isinstance(answer, dict)
        left = answer.get("left", []) if ok else []
        text = f"left: {', '.join(left)}" if left else "yes" if ok else answer
        report.add("Project", controller, what, "yes", text, ok and not left)
    computes = [node.name for node in cloud.doing("compute")]
    tiny = bool(cloud.settings.smoke_image and cloud.settings.smoke_image.tiny)
    for compute in computes:
        _instance(report, cloud, answers, compute, tiny)
    for compute in computes:
        _network(report, cloud, answers, compute)
    if not cloud.self_service:
        report.warn(
            "skipped: routers and floating IPs; self_service_networks is False, and the instances are "
            "directly in the provider network"
        )
    for compute in computes:
        _screen(report, answers, compute)
    if "cinder" in cloud.services:
        _volumes(report, cloud, answers, computes, tiny)
    else:
        report.warn("skipped: volumes; no host is in group 'storage'")
    for compute in computes:
        _power(report, answers, compute)
    _removal(report, cloud, answers)
    return report


def _of(answers: Answers, phase: str, name: str) -> dict | str:
    """One server's or volume's part of a phase's answer, or the reason why there is none."""
    answer = answers.phases.get(phase, "not asked")
    if isinstance(answer, str):
        return answer
    part = answer.get(name, "not asked")
    return part["error"] if isinstance(part, dict) and "error" in part else part


def _lease(cloud: Cloud, answers: Answers, name: str) -> str:
    """How the line of a guest's DHCP lease begins: with an address of our network, or of the operator's."""
    if cloud.self_service:
        return f"TINY: lease {CIDR.rpartition('.')[0]}."
    made = answers.phases.get("make")
    servers = made["servers"] if isinstance(made, dict) else []
    fixed = next((server["fixed"] for server in servers if server["name"] == name), "none")
    return f"TINY: lease {fixed}/"


def _instance(report: Report, cloud: Cloud, answers: Answers, compute: str, tiny: bool) -> None:
    found = _of(answers, "boot", first_of(compute))
    if isinstance(found, str):
        report.add("Instances", compute, "gets ACTIVE", "ACTIVE", found, False)
        return
    where = f"{found['status']} on {found['host']} after {found.get('seconds', 0)} s with its boot"
    report.add("Instances", compute, "gets ACTIVE", f"ACTIVE on {compute}", where, found["host"] == compute)
    lines = found["console"]
    if not tiny:
        unfinished = found.get("unfinished")
        report.add("Instances", compute, "console log", "has text", unfinished or "has text", not unfinished)
        return
    key = PUBLIC_KEY.rsplit(" ", 1)[0]
    for check, start in (
        ("console log: boot", "TINY: boot "),
        ("console log: DHCP lease", _lease(cloud, answers, first_of(compute))),
        ("console log: metadata, hostname", f"TINY: hostname {first_of(compute)}"),
        ("console log: metadata, key", f"TINY: key {NAME} {key}"),
        ("console log: metadata, user data", f"TINY: user data: {USER_DATA}"),
        ("console log: end of boot", "TINY: done"),
    ):
        line = next((line for line in lines if line.startswith(start)), None)
        missing = found.get("unfinished") or f"not among: {' / '.join(lines[-3:])}"
        expected = start.strip() if len(start) < 50 else f"{start[:49]}…"
        report.add("Instances", compute, check, expected, line or missing, line is not None)


def _network(report: Report, cloud: Cloud, answers: Answers, compute: str) -> None:
    name = first_of(compute)
    way = "through the floating IP" if cloud.self_service else "from the provider network"
    found = answers.guests.get("reach", "not asked")
    for what, check, expected in (
        ("ping", f"ping {way}", "answers"),
        ("service", f"TCP service {way}", "answers"),
        ("blocked", "a port the security group does not allow", "no connection"),
    ):
        if isinstance(found, str):
            report.add("Network", compute, check, expected, found, False)
            continue
        ok, text = next(
            ((ok, text) for server, asked, ok, text in found if (server, asked) == (name, what)),
            (None, "not asked"),
        )
        if what == "blocked" and ok is not None:
            # A refusal would come from the guest: the packet has passed the group.
            ok = not ok and "timed out" in text
        report.add("Network", compute, check, expected, text, bool(ok))


def _screen(report: Report, answers: Answers, compute: str) -> None:
    found = _of(answers, "vnc", first_of(compute))
    page, greeting = (found, found) if isinstance(found, str) else (found["page"], found["greeting"])
    report.add("Console", compute, "the noVNC URL's page", "200", page, " 200 " in f"{page} ")
    report.add("Console", compute, "VNC behind its WebSocket", "RFB", greeting, greeting.startswith("RFB "))


def _volumes(report: Report, cloud: Cloud, answers: Answers, computes: list[str], tiny: bool) -> None:
    section = "Volumes"
    able = [compute for compute in computes if answers.initiators.get(compute)]
    for compute in computes:
        if compute not in able:
            report.warn(
                f"skipped on {compute}: attaching a volume; its kernel has no iSCSI initiator "
                "(modprobe iscsi_tcp fails there)"
            )
    for name in able:
        made = _of(answers, "volume", name)
        refused = made if isinstance(made, str) else made.get("refused")
        seconds = "" if refused else f" after {made.get('seconds', 0)} s with its making"
        report.add(
            section, name, "1 GB attaches by iSCSI", "in-use", refused or f"in-use{seconds}", not refused
        )
        if tiny:
            _bytes(report, answers, name, "write", "the guest sees it and writes")
        moved = _of(answers, "move", name)
        ok = isinstance(moved, dict)
        text = f"yes, in {moved.get('seconds', 0)} s" if ok else moved
        report.add(section, name, "detaches, attaches to a second instance", "yes", text, ok)
        if tiny:
            _bytes(report, answers, name, "read", "the second instance reads the same bytes")
    if not tiny:
        report.warn("skipped: reading and writing volumes; only the image of lab/image.py can be asked to")
    for name in able or [NAME]:
        taken = _of(answers, "snapshot", name)
        host = name if able else cloud.first("storage").name
        ok = isinstance(taken, dict)
        stuck = taken.get("attached") if ok else None
        if able:
            text = stuck or ("yes" if ok else taken)
            report.add(section, host, "detaches from the second instance", "yes", text, ok and not stuck)
        report.add(
            section, host, "snapshot", "made and removed",
            stuck or ("made and removed" if ok else taken), ok and not stuck,
        )  # fmt: skip


def _bytes(report: Report, answers: Answers, compute: str, do: str, check: str) -> None:
    line, total = content(compute)
    found = answers.guests.get(do, "not asked")
    if isinstance(found, str):
        report.add("Volumes", compute, check, total[:12], found, False)
        return
    mine = {what: (ok, text) for name, what, ok, text in found if name == compute}
    seen, sees = mine.get("seen", (False, "not asked"))
    ok, text = mine.get(do, (False, "not asked")) if seen else (False, f"no disk vdb of 1 GiB, but {sees}")
    same = ok and total in text and (do == "write" or line in text)
    shown = f"SHA-256 {total[:12]}… of {MEGABYTES} MiB" if same else text
    report.add("Volumes", compute, check, f"SHA-256 {total[:12]}…", shown, same)


def _power(report: Report, answers: Answers, compute: str) -> None:
    found = _of(answers, "power", first_of(compute))
    for action in ACTIONS:
        result = found if isinstance(found, str) else found.get(action, "not asked")
        ok = isinstance(result, int)
        expected = "SHUTOFF" if action == "stop" else "boots again"
        report.add("Power", compute, action, expected, f"{expected} in {result} s" if ok else result, ok)


def _removal(report: Report, cloud: Cloud, answers: Answers) -> None:
    controller = cloud.first("controller").name
    found = answers.phases.get("remove", "not asked")
    ok = isinstance(found, dict) and not found["left"]
    if isinstance(found, str):
        text = found
    else:
        text = f"left: {', '.join(found['left'])}" if found["left"] else f"{len(found['removed'])} removed"
    report.add("Removal", controller, "the APIs list nothing of it", "nothing left", text, ok)
    for name in cloud.nodes:
        left = answers.left.get(name, "not asked")
        text = left if isinstance(left, str) else ", ".join(left) or "nothing left"
        report.add(
            "Removal", name, "namespaces, volumes, sessions, machines", "nothing left", text, left == []
        )
