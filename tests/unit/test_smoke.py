"""The smoke test's plan and verdict, on answers as the programs gave them in the lab."""

from __future__ import annotations

import copy

import clouds
import pytest

from cloud import smoke

TINY = {"tiny": True, "disk": "/i/disk", "kernel": "/i/kernel", "initramfs": "/i/initramfs"}
CONSOLE = [
    "TINY: boot 0e7c2f4e-6f0c-4c40-9b3b-d1d3a2a7a001, 6.12.117+deb13-cloud-amd64, 89348 kB of memory",
    "TINY: lease 192.168.222.11/24 mtu 1450 routes 169.254.169.254/32 192.168.222.2",
    "TINY: hostname smoke-test-compute",
    f"TINY: key smoke-test {smoke.PUBLIC_KEY}",
    "TINY: user data: a line for the smoke test",
    "TINY: done",
]
REMOVED = {"removed": ["server smoke-test-compute"], "left": [], "ids": ["i-1"]}
MADE = {
    "project": "p",
    "external": "provider",
    "probe": {"address": "203.0.113.9", "prefix": 24, "mac": "fa:16:3e:00:00:01", "vlan": None},
    "servers": [
        {"name": "smoke-test-compute", "id": "i-1", "fixed": "192.168.222.11", "floating": "203.0.113.5"},
        {"name": "smoke-test-compute-2", "id": "i-2", "fixed": "192.168.222.12", "floating": "203.0.113.6"},
    ],
}


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path, smoke_image=TINY)


@pytest.fixture
def good():
    """Everything as it should be, on a compute host with an iSCSI initiator."""
    name = "smoke-test-compute"
    line, total = smoke.content("compute")
    seen = ("compute", "seen", True, "vda 1073741824\nvdb 1073741824")
    return smoke.Answers(
        initiators={"compute": True},
        phases={
            "cleared": {"removed": [], "left": [], "ids": []},
            "make": MADE,
            "boot": {name: {"status": "ACTIVE", "host": "compute", "console": CONSOLE, "seconds": 31}},
            "vnc": {name: {"page": "HTTP/1.1 200 OK", "greeting": "RFB 003.008", "seconds": 1}},
            "volume": {"compute": {"id": "v-1", "seconds": 20}},
            "move": {"compute": {"seconds": 25}},
            "snapshot": {"compute": {"seconds": 20}},
            "power": {name: dict.fromkeys(smoke.ACTIONS, 12)},
            "remove": REMOVED,
        },
        guests={
            "reach": [
                (name, "ping", True, "0.9 ms"),
                (name, "service", True, name),
                (name, "blocked", False, "timed out"),
            ],
            "write": [seen, ("compute", "write", True, f"{total}  -")],
            "read": [seen, ("compute", "read", True, f"{total}  -\n{line}")],
        },
        left={"controller": [], "compute": [], "storage": []},
    )


def failed(cloud, answers):
    return [(check.host, check.check) for check in smoke.judge(cloud, answers).failed]


def test_all_is_well(cloud, good):
    report = smoke.judge(cloud, good)
    assert report.failed == []
    assert len(report.checks) == 28
    assert report.warnings == []


def test_nothing_asked_is_nothing_proved(cloud):
    report = smoke.judge(cloud, smoke.Answers())
    assert not any(check.ok for check in report.checks)


def changed(good, path, value):
    """``good`` with one answer changed; ``path``: attribute and keys."""
    answers = copy.deepcopy(good)
    place = getattr(answers, path[0])
    for key in path[1:-1]:
        place = place[key]
    place[path[-1]] = value
    return answers


BOOT = ("phases", "boot", "smoke-test-compute")
BLOCKED = "a port the security group does not allow"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ((*BOOT, "host"), "other", {"gets ACTIVE"}),
        ((*BOOT, "console", 1), "TINY: no lease yet", {"console log: DHCP lease"}),
        ((*BOOT, "console", 2), "TINY: no metadata", {"console log: metadata, hostname"}),
        ((*BOOT, "console", 3), "TINY: key other ssh-rsa AAAA", {"console log: metadata, key"}),
        (BOOT, {"error": "ERROR: No valid host was found"}, {"gets ACTIVE"}),
        (("guests", "reach", 0), ("smoke-test-compute", "ping", False, "no answer"),
         {"ping through the floating IP"}),
        (("guests", "reach", 2), ("smoke-test-compute", "blocked", True, "connected"), {BLOCKED}),
        # From the guest itself: the group let the packet pass.
        (("guests", "reach", 2), ("smoke-test-compute", "blocked", False, "[Errno 111] Connection refused"),
         {BLOCKED}),
        (("phases", "vnc", "smoke-test-compute", "greeting"), "", {"VNC behind its WebSocket"}),
        (("phases", "volume", "compute"), {"error": "the volume is error"}, {"1 GB attaches by iSCSI"}),
        (("phases", "volume", "compute"), {"id": "v-1", "refused": "not within 240 s"},
         {"1 GB attaches by iSCSI"}),
        (("guests", "read", 1), ("compute", "read", True, "0000  -\nother"),
         {"the second instance reads the same bytes"}),
        (("guests", "write", 0), ("compute", "seen", False, "vda 1073741824"),
         {"the guest sees it and writes"}),
        (("phases", "snapshot", "compute"), {"error": "the snapshot is error"},
         {"detaches from the second instance", "snapshot"}),
        (("phases", "power", "smoke-test-compute", "soft reboot"), "not within 180 s", {"soft reboot"}),
        (("phases", "remove"), {**REMOVED, "left": ["port x"]}, {"the APIs list nothing of it"}),
        (("left", "storage"), ["logical volume volume-v-1"], {"namespaces, volumes, sessions, machines"}),
    ],
)  # fmt: skip
def test_each_fault_fails_its_check(cloud, good, path, value, expected):
    assert {check for _, check in failed(cloud, changed(good, path, value))} == expected


def test_a_host_without_an_initiator_skips_the_volume_with_a_word(cloud, good):
    good.initiators = {"compute": False}
    good.phases["snapshot"] = {"smoke-test": {"seconds": 9}}
    report = smoke.judge(cloud, good)
    assert report.failed == []
    assert [check.check for check in report.checks if check.section == "Volumes"] == ["snapshot"]
    assert report.warnings[0].startswith("skipped on compute")


def test_one_server_a_host_and_a_second_where_volumes_attach(cloud):
    plan = smoke.plan(cloud, {"compute": True, "other": False})
    assert [(server["name"], server["host"]) for server in plan["servers"]] == [
        ("smoke-test-compute", "compute"),
        ("smoke-test-other", "other"),
        ("smoke-test-compute-2", "compute"),
    ]
    assert plan["volumes"] == [{"name": "compute", "servers": ["smoke-test-compute", "smoke-test-compute-2"]}]
    assert plan["image"]["kernel"] == "/var/tmp/smoke-test/kernel"


def test_without_an_initiator_a_volume_stays_alone(cloud):
    assert smoke.plan(cloud, {"compute": False})["volumes"] == [{"name": "smoke-test", "servers": []}]


def test_an_image_of_somebody_else_is_only_knocked_at(tmp_path):
    cloud = clouds.cloud(tmp_path, smoke_image={"disk": "/i/cirros.img", "disk_format": "qcow2"})
    plan = smoke.plan(cloud, {"compute": True})
    assert (plan["image"]["kernel"], plan["image"]["disk_format"]) == (None, "qcow2")
    asks = smoke.reach(plan, MADE)
    assert [(ask["do"], ask.get("port")) for ask in asks] == [
        ("ping", None),
        ("connect", smoke.SSH),
        ("connect", smoke.CLOSED),
    ]
    assert smoke.on_volumes(plan, MADE, ["compute"], "write") == []


def test_what_the_guests_are_asked(cloud):
    plan = smoke.plan(cloud, {"compute": True})
    line, total = smoke.content("compute")
    assert len(total) == 64
    write = smoke.on_volumes(plan, MADE, ["compute"], "write")
    assert [(ask["address"], ask["path"]) for ask in write] == [
        ("203.0.113.5", "/cgi-bin/disks"),
        ("203.0.113.5", f"/cgi-bin/write?vdb&{line}&8"),
    ]
    read = smoke.on_volumes(plan, MADE, ["compute"], "read")
    assert [(ask["address"], ask["path"]) for ask in read] == [
        ("203.0.113.6", "/cgi-bin/disks"),
        ("203.0.113.6", "/cgi-bin/read?vdb&8"),
    ]
    # What could not be attached is not asked for.
    assert smoke.on_volumes(plan, MADE, [], "write") == []


@pytest.fixture
def older(tmp_path):
    return clouds.cloud(tmp_path, clouds.OLDER_HOSTS, smoke_image=TINY, **clouds.OLDER)


DIRECT = {
    **MADE,
    "network": "0e7c2f4e-6f0c-4c40-9b3b-d1d3a2a7a001",
    "servers": [{"name": "smoke-test-compute", "id": "i-1", "fixed": "203.0.113.5", "floating": None}],
}


@pytest.fixture
def direct(good):
    """Everything as it should be in the older cloud: nobody was asked for volumes."""
    good.phases["make"] = DIRECT
    console = good.phases["boot"]["smoke-test-compute"]["console"]
    console = [line.replace("192.168.222.11", "203.0.113.5") for line in console]
    good.phases["boot"]["smoke-test-compute"]["console"] = console
    for phase in ("volume", "move", "snapshot"):
        del good.phases[phase]
    for what in ("write", "read"):
        del good.guests[what]
    del good.left["storage"]
    return good


def test_what_the_older_cloud_lacks_is_skipped_with_a_word(older, direct):
    report = smoke.judge(older, direct)
    assert report.failed == []
    assert {check.section for check in report.checks} == {
        "Project", "Instances", "Network", "Console", "Power", "Removal"
    }  # fmt: skip
    assert "ping from the provider network" in {check.check for check in report.checks}
    assert report.warnings == [
        "skipped: routers and floating IPs; self_service_networks is False, and the instances are directly "
        "in the provider network",
        "skipped: volumes; no host is in group 'storage'",
    ]


def test_the_lease_must_be_the_ports_address(older, direct):
    direct.phases["make"] = {**DIRECT, "servers": [{**DIRECT["servers"][0], "fixed": "203.0.113.6"}]}
    assert failed(older, direct) == [("compute", "console log: DHCP lease")]


def test_an_instance_in_the_provider_network_is_asked_at_its_own_address(older):
    plan = smoke.plan(older, {"compute": True})
    assert (plan["self_service"], plan["stores"], plan["volumes"]) == (False, False, [])
    assert [server["name"] for server in plan["servers"]] == ["smoke-test-compute"]
    assert {ask["address"] for ask in smoke.reach(plan, DIRECT)} == {"203.0.113.5"}


def test_the_probes_bridge(cloud, older):
    assert smoke.bridge(cloud, None) == smoke.bridge(cloud, MADE) == "br-provider"
    # It is named by the agent: as many letters as an interface's name may have.
    assert smoke.bridge(older, DIRECT) == "brq0e7c2f4e-6f"
    assert smoke.bridge(older, None) == smoke.bridge(older, "not tried") == ""
