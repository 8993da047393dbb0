"""A host's life, whatever its kind: created, started, stopped."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

from lab import cgroups, network, nspawn, paths, ssh, uml
from lab.hosts import NSPAWN, UML, Host, Lab
from lab.shell import LabError, run, step, wait

STOP_LIMIT = 40  # seconds until a host that was asked to stop is killed
KINDS: dict[str, ModuleType] = {NSPAWN: nspawn, UML: uml}


def folder(host: Host) -> Path:
    """What belongs to a host from its creation to `down`."""
    return paths.RUN / host.name


def runs(lab: Lab, host: Host) -> bool:
    """Whether any process of the host lives."""
    return bool(cgroups.members(lab.group(host.name)))


def up(lab: Lab, host: Host) -> None:
    """See to it that the host runs and lets root in; one that answers is left alone."""
    if runs(lab, host) and network.plugged(lab, host) and ssh.answers(host):
        return
    if not folder(host).exists():
        create(lab, host)
    with step(f"{host.name}: up at {host.address}"):
        if runs(lab, host):  # since a run that was killed it boots, powers off, or hangs
            try:
                network.plug(lab, host)
                _wait_for_login(lab, host)
                return
            except LabError:
                stop(lab, host, hard=True)
        cgroups.kill(lab.group(host.name))
        try:
            KINDS[host.kind].start(lab, host, folder(host))
            _wait_for_login(lab, host)
        except LabError as error:
            raise LabError(f"{error}; its console: {folder(host)}/console.log") from None


def create(lab: Lab, host: Host) -> None:
    """Make the host's folder, complete or not at all."""
    partial = folder(host).with_name(host.name + paths.PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    KINDS[host.kind].create(lab, host, partial)
    partial.rename(folder(host))


def stop(lab: Lab, host: Host, hard: bool = False) -> None:
    """Stop the host and keep its disk.

    Args:
        lab, host: the table, and the host in it.
        hard: as a power cut does. Without, it is asked to power off, and killed after ``STOP_LIMIT``.
    """
    if not hard and runs(lab, host):
        try:
            KINDS[host.kind].ask_to_stop(lab, host, folder(host))
            wait(f"{host.name} powers off", STOP_LIMIT, lambda: not runs(lab, host))
        except LabError as error:
            print(f"{error}: killed", flush=True)
    cgroups.kill(lab.group(host.name))
    unmount(folder(host))
    network.unplug(lab, host)


def _wait_for_login(lab: Lab, host: Host) -> None:
    """Wait until root may log in, but not for a host that ended."""
    end = f"{host.name} lets root in by ssh, or ends"
    wait(end, KINDS[host.kind].BOOT_LIMIT, lambda: not runs(lab, host) or ssh.lets_in(host))
    if not runs(lab, host):
        raise LabError(f"{host.name} ended while it booted")


def unmount(below: Path) -> None:
    """Unmount all that is mounted below a folder."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if Path(mount).is_relative_to(below):
            run("umount", mount)
