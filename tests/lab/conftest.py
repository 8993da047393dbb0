"""Real hosts. Needs root; makes the lab's hosts, and leaves them up for whoever wants to look."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.hosts import UML, chosen

ROOT = Path(__file__).parents[2]
INVENTORY = "lab/inventory.py"
PYINFRA = str(Path(sys.executable).with_name("pyinfra"))


# Each needs the cloud as the ones before it have left it.
ORDER = (
    "test_cloud",
    "test_resources",
    "test_using",
    "test_smoke",
    "test_horizon",
    "test_teardown",
    "test_preflight",
    "test_bridge",
    "test_zed",
    "test_lb",
    "test_clusters",
    "test_ha",
    "test_el",
    "test_el_real",
    "test_packstack",
    "test_answers",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.stem in ORDER else -1)
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="the lab needs root"))


class Finished(subprocess.CompletedProcess):
    """What a command did; ``output`` has both of its streams, ``seconds`` how long it took."""

    seconds: float = 0.0

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def command(*argv: object, timeout: float = 900, stdin: str | None = None, check: bool = False) -> Finished:
    """Run a command in the project's folder. Its process group is ended with it."""
    began = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in argv],
        cwd=ROOT,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    done = Finished(argv, process.returncode, out, err)
    done.seconds = time.monotonic() - began
    print(f"[{done.seconds:6.1f} s, status {done.returncode}] {' '.join(map(str, argv))[:120]}", flush=True)
    assert not check or done.returncode == 0, done.output[-6000:]
    return done


def pyinfra(*arguments: object, inventory: str | Path = INVENTORY, **options) -> Finished:
    return command(PYINFRA, inventory, *arguments, **options)


def killed_at(
    task: str, operation: str, seconds: float, *arguments: str, inventory: str | Path = INVENTORY
) -> str:
    """Start a task, and end it with SIGKILL some seconds after an operation began; returns its output."""
    process = subprocess.Popen(
        [PYINFRA, inventory, task, "-y", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Starting operation" in line and operation in line:
            time.sleep(seconds)
            os.killpg(process.pid, signal.SIGKILL)
            break
    lines += process.stdout.readlines()
    assert process.wait() == -signal.SIGKILL, "".join(lines)[-4000:]
    return "".join(lines)


def lab(*arguments: object, **options) -> Finished:
    return command(sys.executable, "-m", "lab", *arguments, **options)


@contextmanager
def fresh_hosts(name: str):
    """A lab's hosts, made anew, and its name in ``$OPENSTACK_LAB``; they are removed at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENSTACK_LAB", name)
        lab("down", name, check=True)
        lab("up", name, check=True, timeout=1500)
        yield
        lab("down", name, check=True)


def on(host: str, script: str, **options) -> str:
    """What a shell script prints on a host."""
    return lab("ssh", host, script, check=True, **options).stdout


def until(what: str, seconds: float, condition, pause: float = 1) -> None:
    """Wait for a condition, ``seconds`` at most; what a host can't answer yet does not count.

    ``pause``: seconds between two looks, for one that is work for the hosts.
    """
    began = time.monotonic()
    while True:
        try:
            if condition():
                print(f"    {what}: after {time.monotonic() - began:.0f} s", flush=True)
                return
        except AssertionError:
            pass
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        time.sleep(pause)


def sdk(program: str, cloud: str = "lab", **options):
    """The JSON that a program for openstacksdk prints, run on the controller, with ``cloud`` as admin."""
    text = f"import json, openstack, time\ncloud = openstack.connect(cloud='{cloud}')\n{program}"
    return json.loads(lab("ssh", "controller", "python3 -", stdin=text, check=True, **options).stdout)


def totals(output: str) -> dict[str, int]:
    """pyinfra's last line: how many operations succeeded, failed, and changed nothing."""
    row = re.findall(r"Grand total\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", output)[-1]
    numbers = [0 if cell == "-" else int(cell) for cell in row]
    return dict(zip(("operations", "changed", "failed", "unchanged"), numbers, strict=True))


def secrets() -> dict[str, str]:
    return tomllib.loads((ROOT / "lab" / "secrets.toml").read_text())


def _uml_hosts() -> list[str]:
    return [host.name for host in chosen().hosts if host.kind == UML]


class ProcessTable:
    """Collects every command line while it is open: the containers' processes too, which this machine sees.

    The User Mode Linux hosts keep their processes to themselves: they are asked for over SSH.
    """

    def __init__(self):
        self.lines: set[str] = set()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._here),
            *(threading.Thread(target=self._there, args=[name]) for name in _uml_hosts()),
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _here(self):
        while not self._stop.wait(0.05):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.lines.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue

    def _there(self, name):
        while not self._stop.wait(0.5):
            done = subprocess.run(
                [sys.executable, "-m", "lab", "ssh", name, "ps -eo args"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
            )
            self.lines.update(done.stdout.splitlines())


def found_secrets(text: str) -> list[str]:
    """Names of the secrets that stand in a text."""
    return [name for name, value in secrets().items() if value in text]


def copied(inventory: str, to: Path) -> Path:
    """A copy of a lab's inventory with all that belongs to it, to be spoiled; returns its path."""
    folder = (ROOT / inventory).parent
    shutil.copytree(folder / "group_data", to / "group_data")
    shutil.copy(folder / "secrets.toml", to)
    return Path(shutil.copy(ROOT / inventory, to))


@pytest.fixture
def inventory_copy(tmp_path):
    """A copy of the first lab's inventory."""
    return copied(INVENTORY, tmp_path)
