"""apt-cacher-ng on the management bridge: the hosts' only way to the package mirrors."""

from __future__ import annotations

import socket

from lab import cgroups, paths
from lab.hosts import Lab
from lab.shell import LabError, wait

START_LIMIT = 10  # seconds
FOLDER = paths.RUN / "proxy"
CONFIGURATION = """\
CacheDir: {cache}
LogDir: {folder}
SocketPath: {folder}/socket
PidFile: {folder}/pid
BindAddress: {address}
Port: {port}
ForeGround: 1
ReportPage:
# What was fetched once stays, even when no index names it any more.
ExThreshold: 3650
"""


def up(lab: Lab) -> None:
    """Start it unless it runs and listens.

    Raises:
        LabError: another process has the port, or apt-cacher-ng did not start.
    """
    group = lab.group("proxy")
    if cgroups.members(group) and _listens(lab):
        return
    cgroups.kill(group)
    if _listens(lab):
        raise LabError(f"another process listens on {lab.proxy}: see `ss -ltnp`, stop it")
    cache = paths.CACHE / "apt"
    for folder in (cache, FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    where = {"address": lab.gateway.ip, "port": lab.proxy_port}
    (FOLDER / "acng.conf").write_text(CONFIGURATION.format(cache=cache, folder=FOLDER, **where))
    log = FOLDER / "output.log"
    cgroups.start(group, ["apt-cacher-ng", "-c", str(FOLDER)], log)
    try:
        wait("apt-cacher-ng listens", START_LIMIT, lambda: _listens(lab))
    except LabError as error:
        raise LabError(f"{error}; {log} says: {log.read_text()[-600:].strip() or 'nothing'}") from None


def _listens(lab: Lab) -> bool:
    """Whether anything takes connections at the proxy's address."""
    try:
        socket.create_connection((str(lab.gateway.ip), lab.proxy_port), timeout=1).close()
    except OSError:
        return False
    return True
