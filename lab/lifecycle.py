"""One host's life, whatever its kind: created, started, stopped."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

from lab import cgroups, network, nspawn, paths, ssh, uml
from lab.hosts import NSPAWN, UML, Host, Lab
from lab.shell import LabError, step, wait

STOP_LIMIT = 40  # seconds until a host that was asked to stop is killed
KINDS: dict[str, ModuleType] = {NSPAWN: nspawn, UML: uml}


def folder(host: Host) -> Path:
    """What belongs to this host, from its creation to `down`."""
    return paths.RUN / host.name


def runs(lab: Lab, host: Host) -> bool:
    """Whether any process of the host lives."""
    return bool(cgroups.members(lab.group(host)))


def up(lab: Lab, host: Host) -> None:
    """Make the host run and let root in: leave it alone, wait for it, or start it anew with its disk."""
    if runs(lab, host) and network.plugged(lab, host) and ssh.answers(host):
        return
    if not folder(host).exists():
        create(lab, host)
    with step(f"{host.name}: up at {host.address}"):
        limit = KINDS[host.kind].BOOT_LIMIT
        if runs(lab, host):  # it boots, or hangs, since a run that was killed
            try:
                network.plug(lab, host)
                ssh.wait_for_login(host, limit)
                return
            except LabError:
                stop(lab, host, hard=True)
        start(lab, host)
        ssh.wait_for_login(host, limit)


def create(lab: Lab, host: Host) -> None:
    """Make the host's folder, complete or not at all."""
    partial = folder(host).with_name(host.name + paths.PARTIAL)
    partial.mkdir(parents=True)
    KINDS[host.kind].create(lab, host, partial)
    partial.rename(folder(host))


def start(lab: Lab, host: Host) -> None:
    """Start a host that does not run."""
    cgroups.kill(lab.group(host))
    KINDS[host.kind].start(lab, host, folder(host))


def stop(lab: Lab, host: Host, hard: bool = False) -> None:
    """Stop the host and keep its disk: politely with a limit, or with ``hard`` as a power cut does."""
    if not hard and runs(lab, host):
        KINDS[host.kind].ask_to_stop(lab, host, folder(host))
        try:
            wait(f"{host.name} powers off", STOP_LIMIT, lambda: not runs(lab, host))
        except LabError as error:
            print(f"{error}: killed", flush=True)
    cgroups.kill(lab.group(host))
    KINDS[host.kind].remains(host, folder(host))
    network.unplug(lab, host)


def clean() -> None:
    """Remove the folders of hosts whose creation was killed."""
    for partial in paths.RUN.glob(f"*{paths.PARTIAL}"):
        shutil.rmtree(partial)
