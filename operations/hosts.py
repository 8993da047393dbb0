"""/etc/hosts."""

from __future__ import annotations

from collections.abc import Mapping

from pyinfra.api import operation

from cloud import hosts_file
from facts.config import ConfigFile
from facts.reading import Unreadable, read
from operations import config
from operations.failure import fail


@operation()
def named(hosts: Mapping[str, str]):
    """Have every host's name in /etc/hosts, with its address and no other. Other lines are kept.

    All in one operation: pyinfra's ``server.etc_hosts`` takes one for each address.

    Args:
        hosts: name -> address.
    """
    path = "/etc/hosts"
    found = read(ConfigFile, path=path)
    if isinstance(found, Unreadable):
        yield fail(f"{path} can't be read: {found.reason}")
        return
    yield from config.file._inner(dest=path, content=hosts_file.merge(found.content, hosts), mode="644")
