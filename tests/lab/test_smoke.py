"""The smoke test on the lab's cloud, beside the demo: it passes, and a killed one leaves nothing for long."""

from __future__ import annotations

import json

from conftest import killed_at, lab, pyinfra, sdk

SMOKE = "tasks/smoke.py"
PROJECTS = "print(json.dumps([project.name for project in cloud.identity.projects()]))"


def test_a_smoke_test_is_killed_half_way():
    killed_at(SMOKE, "Attach volumes", 20)
    assert "smoke-test" in sdk(PROJECTS)


def test_the_next_one_removes_that_and_passes(tmp_path):
    report = tmp_path / "smoke.json"
    run = pyinfra(SMOKE, "-y", "--data", f"smoke_report={report}", timeout=1800)
    assert run.returncode == 0, run.output[-12000:]
    content = json.loads(report.read_text())
    assert content["ok"]
    by_host = {(check["host"], check["check"]) for check in content["checks"]}
    for host in ("compute", "compute2"):
        for check in (
            "gets ACTIVE", "console log: DHCP lease", "ping through the floating IP", "soft reboot", "start",
        ):  # fmt: skip
            assert (host, check) in by_host
    assert ("compute2", "the second instance reads the same bytes") in by_host


def test_nothing_of_it_is_left():
    assert "smoke-test" not in sdk(PROJECTS)
    left = sdk(
        "names = [item.name for kind in (\n"
        "    cloud.compute.servers(all_projects=True), cloud.compute.flavors(is_public=None),\n"
        "    cloud.image.images(), cloud.network.networks(), cloud.network.routers(),\n"
        "    cloud.network.ports(), cloud.network.security_groups(),\n"
        "    cloud.block_storage.volumes(all_projects=True),\n"
        "    cloud.block_storage.snapshots(all_projects=True),\n"
        ") for item in kind]\n"
        "print(json.dumps([name for name in names if 'smoke' in name]))"
    )
    assert left == []
    for host, command in (
        ("controller", "ip netns | grep smoke; ovs-vsctl list-ports br-provider | grep smoke"),
        ("compute2", "virsh list --all | grep -c instance-; iscsiadm -m session | wc -l"),
        ("storage", "lvs --noheadings -o lv_name | grep -c volume-"),
    ):
        found = lab("ssh", host, command).stdout.split()
        # The demo's: one instance, one session, one volume.
        assert found == {"controller": [], "compute2": ["1", "1"], "storage": ["1"]}[host]
