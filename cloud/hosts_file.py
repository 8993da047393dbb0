"""/etc/hosts: the cloud's hosts in it, everything else left as it is."""

from __future__ import annotations

from collections.abc import Mapping


def merge(text: str, hosts: Mapping[str, str]) -> str:
    """The file's text, with every host on a line of its own.

    Args:
        text: the file as it is.
        hosts: name -> address.

    A line that gives one of the names another address loses that name, and goes when none is left: above all
    Debian's ``127.0.1.1 NAME``, with which RabbitMQ and libvirt would tell their peers to look at themselves.
    """
    kept: list[str] = []
    there: set[str] = set()
    for line in text.splitlines():
        entry, _, comment = line.partition("#")
        address, *names = entry.split() or [""]
        foreign = [name for name in names if hosts.get(name, address) != address]
        there.update(name for name in names if hosts.get(name) == address)
        if not foreign:
            kept.append(line)
            continue
        names = [name for name in names if name not in foreign]
        if names:
            kept.append(" ".join([address, *names, *([f"#{comment}"] if comment else [])]))
    kept += [f"{address} {name}" for name, address in hosts.items() if name not in there]
    return "".join(f"{line}\n" for line in kept)
