"""Images on several controllers: what glance's task installs, where, and what its units say."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import clouds
import pytest

from cloud import expected, render, verdict, verify
from cloud.ini import read_wanted
from operations.remote import verify_host

ROOT = Path(__file__).parents[2]
SERVICE, TIMER = (f"/etc/systemd/system/openstack-images.{kind}" for kind in ("service", "timer"))
INSTALLED = "/usr/local/sbin/openstack-images"
NAMES = ("controller", "controller2", "controller3")
HOSTS = {
    **clouds.HOSTS,
    **{
        name: (["controller"], {"ssh_hostname": f"192.168.56.11{number}"})
        for number, name in enumerate(NAMES[1:], 2)
    },
}


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def deployed(tmp_path):
    """A function: (the cloud, host -> what glance's task does there)."""

    def deployed(names=NAMES, **settings):
        one = clouds.cloud(tmp_path, **settings)
        first = one.node("controller")
        controllers = [
            dataclasses.replace(
                first,
                name=name,
                settings=first.settings.model_copy(update={"address": HOSTS[name][1]["ssh_hostname"]}),
            )
            for name in names
        ]
        cloud = dataclasses.replace(
            one,
            nodes={**one.nodes, **{node.name: node for node in controllers}},
            work={**one.work, "controller": list(names)},
        )
        deploy = tmp_path / "deploy.py"
        deploy.write_text(
            f'from pyinfra import local\nlocal.include("{ROOT}/tasks/glance.py")\n', encoding="utf-8"
        )
        hosts = {name: value for name, value in HOSTS.items() if name in cloud.nodes}
        return cloud, render.render(clouds.inventory(hosts, **settings), cloud, deploy)

    return deployed


def test_each_controller_asks_all_others(deployed):
    cloud, found = deployed()
    for name in NAMES:
        files = found[name].files
        assert files[INSTALLED] == (ROOT / "operations" / "installed" / "images.py").read_text()
        service, timer = read_wanted(files[SERVICE]), read_wanted(files[TIMER])
        others = " ".join(
            f"http://{HOSTS[other][1]['ssh_hostname']}:9292" for other in NAMES if other != name
        )
        assert service["Service"]["ExecStart"] == f"/usr/bin/env python3 {INSTALLED} {others}"
        assert service["Service"]["Type"] == "oneshot"
        assert service["Service"]["User"] == service["Service"]["Group"] == "glance"
        # Counted from the last run's end; and the first run has no last one.
        assert timer["Timer"]["OnUnitInactiveSec"] == "60"
        assert int(timer["Timer"]["OnActiveSec"]) <= 60
        assert timer["Install"]["WantedBy"] == "timers.target"
        assert (
            "service.running: Fetch images from the other controllers, each minute" in found[name].operations
        )
        assert "openstack-images.timer" in expected.units(cloud, name)
    for name in ("compute", "storage"):
        assert SERVICE not in found[name].files
        assert "openstack-images.timer" not in expected.units(cloud, name)


def test_an_interpreter_of_the_operators_own(deployed):
    _, found = deployed(python="/opt/python3.11/bin/python3")
    command = read_wanted(found["controller2"].files[SERVICE])["Service"]["ExecStart"]
    assert command.startswith(f"/usr/bin/env /opt/python3.11/bin/python3 {INSTALLED} http://")


def test_no_secret_is_in_what_is_installed(deployed):
    cloud, found = deployed()
    for path in (INSTALLED, SERVICE, TIMER):
        assert not [name for name, value in cloud.secrets.items() if value in found["controller"].files[path]]


@pytest.mark.parametrize("case", ["one controller", "shared storage"])
def test_nothing_is_installed(deployed, case):
    one = case == "one controller"
    cloud, found = deployed(NAMES[:1]) if one else deployed(mirror_images=False)
    for name in cloud.work["controller"]:
        assert not {SERVICE, TIMER, INSTALLED} & set(found[name].files)
        assert "openstack-images.timer" not in expected.units(cloud, name)
        # What an earlier run started.
        assert ("service.stopped: Leave images to shared storage" in found[name].operations) is not one


# -- verify


def section(cloud, **images):
    """(rows of verify's section, its warnings) for what each controller answers."""
    answers = verdict.Answers(hosts={name: {"images": found} for name, found in images.items()})
    report = verify.judge(cloud, answers)
    rows = {check.host: (check.found, check.ok) for check in report.checks if check.section == "Images"}
    return rows, [text for text in report.warnings if "images" in text]


def test_verify_tells_what_is_missing(deployed):
    cloud, _ = deployed()
    rows, warnings = section(
        cloud,
        controller={"missing": [], "failed": False},
        controller2={"missing": ["ID"], "failed": False},
        controller3={"missing": ["ID"], "failed": True},
    )
    assert rows == {
        "controller": ("all are here", True),
        "controller2": ("missing: ID", True),
        "controller3": ("missing: ID; the last run failed, journalctl -u openstack-images says why", False),
    }
    assert len(warnings) == 1
    assert warnings[0].startswith("controller2 lacks images: ID;")
    rows, _ = section(cloud, controller={"error": "RuntimeError: glance's database: gone"})
    assert rows["controller"] == ("RuntimeError: glance's database: gone", False)
    assert rows["controller2"] == ("unreachable over SSH", False)


def test_with_one_controller_verify_does_not_ask(deployed):
    cloud, _ = deployed(NAMES[:1])
    assert section(cloud) == ({}, [])
    assert verify_host.images(None) is None


@pytest.mark.parametrize(("state", "failed"), [("inactive", False), ("failed", True)])
def test_a_controller_answers(monkeypatch, state, failed):
    def run(argv, **_):
        if argv == [sys.executable, INSTALLED, "--missing"]:
            return subprocess.CompletedProcess(argv, 0, "ONE\nTWO\n", "")
        assert argv == ["systemctl", "is-failed", "openstack-images.service"]
        return subprocess.CompletedProcess(argv, 1, f"{state}\n", "")

    monkeypatch.setattr(verify_host.subprocess, "run", run)
    assert verify_host.images(INSTALLED) == {"missing": ["ONE", "TWO"], "failed": failed}


def test_a_controller_that_can_not_tell(monkeypatch):
    answer = subprocess.CompletedProcess([], 1, "", "glance's database: gone\n")
    monkeypatch.setattr(verify_host.subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(RuntimeError, match="glance's database: gone"):
        verify_host.images(INSTALLED)
