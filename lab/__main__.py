"""``python -m lab up|down|status|ssh|start|stop``: see docs/lab.md."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from lab import cgroups, checks, hosts, images, lifecycle, network, paths, proxy, ssh
from lab.hosts import Host, Lab
from lab.shell import LabError, step
from lab.status import table


def up(lab: Lab) -> None:
    """Make all hosts of the lab run."""
    checks.check(lab, [host for host in lab.hosts if not lifecycle.runs(lab, host)])
    images.clean(lab)
    lifecycle.clean()
    ssh.prepare(lab)
    network.up(lab)
    proxy.up(lab)
    images.base(lab)
    _together(lifecycle.up, lab, lab.hosts)


def down(lab: Lab) -> None:
    """Stop the hosts and remove them; the cache stays."""
    images.clean(lab)
    _together(lifecycle.stop, lab, lab.hosts)
    cgroups.kill(lab.prefix)
    network.down(lab)
    if paths.RUN.exists():
        shutil.rmtree(paths.RUN)


def _together(action, lab: Lab, chosen: tuple[Host, ...]) -> None:
    """Do ``action`` for all hosts at once; what failed is told when all have ended."""
    with ThreadPoolExecutor(len(chosen)) as pool:
        results = [pool.submit(action, lab, host) for host in chosen]
    errors = [str(result.exception()) for result in results if result.exception()]
    if errors:
        raise LabError("\n".join(errors))


@contextmanager
def _alone() -> Iterator[None]:
    """One `up` or `down` at a time; the kernel drops the lock with us."""
    paths.STATE.mkdir(parents=True, exist_ok=True)
    with paths.LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LabError(f"another command works on the lab in {paths.STATE}: wait for its end") from None
        yield


def main() -> None:
    lab = hosts.chosen()
    names = [host.name for host in lab.hosts]
    parser = argparse.ArgumentParser(prog="lab", description="Disposable hosts on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="make all hosts run; start what is missing, leave alone what runs")
    commands.add_parser("down", help="remove all hosts, links and processes; keep the cache")
    commands.add_parser("status", help="show the hosts")
    for name, words in (
        ("start", "start one host, with the disk it had"),
        ("stop", "stop one host, keep its disk"),
    ):
        commands.add_parser(name, help=words).add_argument("name", choices=names)
    commands.choices["stop"].add_argument("--hard", action="store_true", help="as a power cut does")
    shell = commands.add_parser("ssh", help="a shell on a host, or one command")
    shell.add_argument("name", choices=names)
    shell.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    given = parser.parse_args()

    try:
        match given.command:
            case "status":
                print(table(lab))
            case "ssh":
                argv = ssh.command(lab.host(given.name), *given.words)
                os.execvp(argv[0], argv)
            case "up":
                with _alone(), step("the lab is up"):
                    up(lab)
            case "down":
                with _alone(), step("the lab is down"):
                    down(lab)
            case "start":
                with _alone():
                    lifecycle.up(lab, lab.host(given.name))
            case "stop":
                with _alone(), step(f"{given.name}: stopped"):
                    lifecycle.stop(lab, lab.host(given.name), given.hard)
    except LabError as error:
        sys.exit(f"lab: {error}")


if __name__ == "__main__":
    main()
