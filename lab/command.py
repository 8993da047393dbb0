"""The commands of ``python -m lab``: see docs/lab.md."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lab import cgroups, checks, hosts, image, images, lifecycle, network, paths, proxy, ssh, status
from lab.el import repository
from lab.hosts import Host, Lab
from lab.shell import LabError, step

PATIENCE = 900  # seconds for another command: the first build of el-real takes five minutes


def up(lab: Lab, chosen: Sequence[Host]) -> None:
    """Make ``chosen`` hosts run; what a killed run left is finished or removed."""
    checks.check(lab, [host for host in chosen if not lifecycle.runs(lab, host)])
    images.clean(lab)
    _remove(paths.OLD)
    ssh.prepare()
    paths.RUN.mkdir(exist_ok=True, mode=0o700)
    network.up(lab)
    proxy.up(lab)
    if not all(lifecycle.folder(host).exists() for host in chosen):
        images.base(lab)  # before the hosts, which would all build it at once
    if lab.el:
        repository.up(lab)
    else:
        image.files(lab)
    _together(lifecycle.up, lab, chosen)


def down(lab: Lab) -> None:
    """Stop the hosts and remove all but the cache and the keys."""
    images.clean(lab)
    _together(lifecycle.stop, lab, lab.hosts)
    cgroups.kill(lab.prefix)
    network.down(lab)
    lifecycle.unmount(paths.RUN)
    _remove(paths.OLD)
    if paths.RUN.exists():
        paths.RUN.rename(paths.OLD)
        _remove(paths.OLD)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _together(action: Callable[[Lab, Host], None], lab: Lab, chosen: Sequence[Host]) -> None:
    """Do ``action`` for the chosen hosts at once, and tell of all that failed when the last one has ended."""
    with ThreadPoolExecutor(len(chosen)) as pool:
        results = [pool.submit(action, lab, host) for host in chosen]
    errors = [error for result in results if (error := result.exception())]
    if errors:
        raise LabError("\n".join(map(str, errors)))


@contextmanager
def _alone() -> Iterator[None]:
    """One command at a time: the labs share the cache. The kernel drops the lock with our process.

    Another command is waited for: it may be building, which takes minutes.
    """
    paths.STATE.mkdir(parents=True, exist_ok=True)
    with paths.LOCK.open("w") as lock:
        end = time.monotonic() + PATIENCE
        while not _locked(lock):
            if time.monotonic() >= end:
                raise LabError(
                    f"another command still works on a lab in {paths.STATE} after {PATIENCE} seconds: "
                    "wait for its end"
                )
            time.sleep(0.5)
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _arguments(lab: Lab) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab", description="Disposable hosts on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="make all hosts run; those that answer are left alone")
    commands.add_parser("down", help="remove all hosts, links and processes; keep the cache")
    commands.add_parser("status", help="show the hosts")
    commands.add_parser("start", help="start one host, with the disk it had")
    commands.add_parser("stop", help="stop one host, keep its disk")
    commands.add_parser("ssh", help="a shell on a host, or one command")
    for name in ("up", "down", "status"):
        # Read by __main__.py, which notes it as $OPENSTACK_LAB.
        commands.choices[name].add_argument(
            "lab", nargs="?", choices=list(hosts.LABS), help="default: $OPENSTACK_LAB, or debian13"
        )
        commands.choices[name].add_argument(
            "--real", action="store_true", help="of LAB the one with OpenStack's real programs: LAB-real"
        )
    for name in ("start", "stop", "ssh"):
        commands.choices[name].add_argument("name", choices=[host.name for host in lab.hosts])
    commands.choices["stop"].add_argument("--hard", action="store_true", help="as a power cut does")
    commands.choices["ssh"].add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    return parser.parse_args()


def main() -> None:
    try:
        lab = hosts.chosen()
    except KeyError as error:
        sys.exit(f"lab: there is no lab {error}; there are {', '.join(hosts.LABS)}")
    given = _arguments(lab)
    try:
        checks.own(lab)
        match given.command:
            case "status":
                print(status.table(lab))
            case "ssh":
                argv = ssh.command(lab.host(given.name), *given.words)
                os.execvp(argv[0], argv)
            case "up":
                with _alone(), step("the lab is up"):
                    up(lab, lab.hosts)
            case "down":
                with _alone(), step("the lab is down"):
                    down(lab)
            case "start":
                with _alone():
                    up(lab, [lab.host(given.name)])
            case "stop":
                with _alone(), step(f"{given.name}: stopped"):
                    lifecycle.stop(lab, lab.host(given.name), given.hard)
    except (LabError, OSError) as error:
        sys.exit(f"lab: {error}")
