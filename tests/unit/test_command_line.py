"""The real ``pyinfra`` command on wrong input: a clear message, a status that is not 0, and no connection."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cloud import secrets

ROOT = Path(__file__).parents[2]
PYINFRA = shutil.which("pyinfra", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

pytestmark = pytest.mark.skipif(PYINFRA is None, reason="needs the pyinfra command")


@pytest.fixture
def folder(tmp_path):
    """A copy of what the operator edits, with secrets."""
    shutil.copy(ROOT / "inventory.py", tmp_path)
    shutil.copytree(ROOT / "group_data", tmp_path / "group_data", ignore=shutil.ignore_patterns("__*"))
    secrets.write(tmp_path / "secrets.toml", secrets.generate({}))
    return tmp_path


def refusal(folder, *arguments):
    """Run a deploy that must be refused, and return what it says."""
    done = subprocess.run(
        [PYINFRA, folder / "inventory.py", "deploy.py", "-y", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    output = done.stdout + done.stderr
    assert done.returncode != 0, output
    assert "Connect" not in output
    assert "Traceback" not in output
    return " ".join(output.split())


def edit(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_an_unknown_group(folder):
    edit(folder / "inventory.py", "compute = [", "computes = [")
    said = refusal(folder)
    assert "unknown group 'computes'" in said
    assert "did you mean 'compute'?" in said
    assert "no host in group 'compute'" in said
    assert "nothing was touched" in said


def test_an_unknown_setting(folder):
    edit(folder / "group_data" / "all.py", "region = ", "regoin = ")
    said = refusal(folder)
    assert "unknown setting 'regoin' (for controller, compute, storage); did you mean 'region'?" in said


def test_a_setting_on_the_command_line_is_checked_too(folder):
    assert "unknown setting 'worker'" in refusal(folder, "--data", "worker=3")


def test_a_release_that_the_platform_does_not_have(folder):
    edit(folder / "group_data" / "all.py", '"epoxy"', '"train"')
    said = refusal(folder)
    assert (
        "platform 'debian' does not have release 'train'; it has: zed (on debian 12), epoxy (on debian 13)"
        in said
    )


def test_a_limit_that_matches_nothing(folder):
    said = refusal(folder, "--limit", "computee")
    assert "--limit computee: no such host or group; there are: " in said
    assert "compute, controller" in said


def test_missing_secrets(folder):
    (folder / "secrets.toml").unlink()
    said = refusal(folder)
    assert f"{folder}/secrets.toml does not exist; write it with: python -m cloud.secrets" in said


def test_secrets_that_others_can_read(folder):
    (folder / "secrets.toml").chmod(0o644)
    assert "others can read it; do: chmod 600" in refusal(folder)


def test_an_inventory_that_is_not_there(folder):
    (folder / "inventory.py").unlink()
    assert "no such inventory file" in refusal(folder)


def test_all_mistakes_are_told_in_one_run(folder):
    edit(folder / "inventory.py", '"provider_interface": "eth1"', '"provider_interfase": "eth1"')
    edit(folder / "inventory.py", "192.168.56.13", "10.0.0.13")
    (folder / "secrets.toml").unlink()
    said = refusal(folder)
    for mistake in ("'provider_interfase'", "storage: address 10.0.0.13 is outside", "does not exist"):
        assert mistake in said


def test_one_task_alone_is_checked_like_the_whole_deploy(folder):
    edit(folder / "group_data" / "all.py", '"epoxy"', '"train"')
    done = subprocess.run(
        [PYINFRA, folder / "inventory.py", "tasks/chrony.py", "-y"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "does not have release 'train'" in done.stdout + done.stderr
