"""Hosts with a kernel of their own: User Mode Linux, for LVM and iSCSI that are real."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lab import cgroups, images, network
from lab.hosts import Host, Lab
from lab.shell import LabError, run

BOOT_LIMIT = 180  # seconds


def create(lab: Lab, host: Host, folder: Path) -> None:
    """Fill ``folder``, which becomes the host's own: its root's image, and an empty second disk."""
    run("cp", "--sparse=always", images.disk(lab, host), folder / "root.img")
    if host.disk:
        with (folder / "disk.img").open("wb") as disk:
            disk.truncate(host.disk * 2**30)


def start(lab: Lab, host: Host, folder: Path) -> None:
    """Boot the host; returns while it boots."""
    present = network.links()
    cables = []
    for number, (nic, name) in enumerate(host.nics.items()):
        tap = lab.link(host, name)
        if tap not in present:
            run("ip", "tuntap", "add", "dev", tap, "mode", "tap")
        # Without a MAC it gets another one at each boot, and its neighbours talk to the old one for a while.
        mac = "52:54:" + ":".join(f"{int(byte):02x}" for byte in f"{host.address}".split("."))
        mac = f"{mac[:-5]}{number:02x}:{mac[-2:]}" if number else mac
        cables.append(f"{nic}:transport=tap,ifname={tap},depth=128,gro=1,mac={mac}")
    network.plug(lab, host)
    argv = [
        "linux.uml", f"umid={host.name}", f"uml_dir={folder}/", f"mem={host.memory}M", f"ubd0={folder}/root.img",
        *([f"ubd1={folder}/disk.img"] if host.disk else []),
        "root=/dev/ubda", "rw", *cables, "con=null", "con0=null,fd:2",
    ]  # fmt: skip
    cgroups.start(lab.group(host), argv, folder / "console.log")


def ask_to_stop(lab: Lab, host: Host, folder: Path) -> None:
    """Press Ctrl-Alt-Del, which the image takes for "power off"."""
    with contextlib.suppress(LabError):  # too early in its boot, or already gone: the caller kills it then
        run("uml_mconsole", folder / host.name / "mconsole", "cad", timeout=5)


def remains(host: Host, folder: Path) -> None:
    """Nothing is mounted for it."""
