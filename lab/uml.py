"""Hosts with a kernel of their own: User Mode Linux."""

from __future__ import annotations

import os
import shutil
from ipaddress import IPv4Address
from pathlib import Path

from lab import cgroups, images, network
from lab.hosts import Host, Lab
from lab.shell import run

BOOT_LIMIT = 180  # seconds
CONSOLE = "uml"  # folder of the management console's socket


def create(lab: Lab, host: Host, folder: Path) -> None:
    """Fill ``folder``, which becomes the host's own: the disk with its root, and an empty one."""
    run("cp", "--sparse=always", images.disk(lab, host), folder / "root.img")
    if host.disk:
        with (folder / "disk.img").open("wb") as disk:
            disk.truncate(host.disk * 2**30)


def start(lab: Lab, host: Host, folder: Path) -> None:
    """Boot the host; returns while it boots."""
    present = network.links()
    cables = []
    for number, (nic, net) in enumerate(host.nics.items()):
        tap = lab.link(host, net)
        if tap not in present:
            run("ip", "tuntap", "add", "dev", tap, "mode", "tap")
        cables.append(f"{nic}:transport=tap,ifname={tap},depth=128,gro=1,mac={mac(host, number)}")
    network.plug(lab, host)
    # A killed kernel leaves its socket here, and the next one would not take the name again.
    shutil.rmtree(folder / CONSOLE, ignore_errors=True)
    (folder / CONSOLE).mkdir()
    disks = [f"ubd0={folder}/root.img", *([f"ubd1={folder}/disk.img"] if host.disk else [])]
    argv = [
        "taskset", "--cpu-list", str(processor(lab, host, sorted(os.sched_getaffinity(0)))),
        "linux.uml", f"umid={host.name}", f"uml_dir={folder / CONSOLE}/", f"mem={host.memory}M",
        *disks, "root=/dev/ubda", "rw", *cables, "con=null", "con0=null,fd:2",
    ]  # fmt: skip
    cgroups.start(lab.group(host.name), argv, folder / "console.log")


def processor(lab: Lab, host: Host, available: list[int]) -> int:
    """The one processor that a host is kept on; its neighbours of the same kind get the next ones.

    The kernel and the processes in it take turns at every system call, so that it never uses two. On one of
    its own a call takes 20 µs instead of 76, for nothing has to be woken on the other.
    """
    alike = [other for other in lab.hosts if other.kind == host.kind]
    return available[alike.index(host) % len(available)]


def mac(host: Host, number: int) -> str:
    """The address of a host's interface; UML would choose another one at each boot."""
    return ":".join(f"{byte:02x}" for byte in (0x52, number, *IPv4Address(host.address).packed))


def ask_to_stop(lab: Lab, host: Host, folder: Path) -> None:
    """Press Ctrl-Alt-Del, by which the image means "power off"; LabError when the kernel does not answer."""
    run("uml_mconsole", folder / CONSOLE / host.name / "mconsole", "cad", timeout=5)
