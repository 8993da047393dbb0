"""apt-cacher-ng on the management bridge: the hosts' only way to the package mirrors."""

from __future__ import annotations

import socket

from lab import cgroups, paths
from lab.hosts import Lab
from lab.shell import LabError, wait

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
# A stored .deb stays as long as the cache: an index that no longer names it must not cost a second fetch.
ExThreshold: 3650
"""


def group(lab: Lab) -> str:
    """Its control group."""
    return f"{lab.prefix}/proxy"


def listens(lab: Lab) -> bool:
    """Whether anything accepts connections there."""
    try:
        socket.create_connection((str(lab.gateway.ip), lab.proxy_port), timeout=1).close()
    except OSError:
        return False
    return True


def up(lab: Lab) -> None:
    """Start it unless it runs and answers."""
    if cgroups.members(group(lab)) and listens(lab):
        return
    cgroups.kill(group(lab))
    cache = paths.CACHE / "apt"
    for folder in (cache, FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = CONFIGURATION.format(
        cache=cache, folder=FOLDER, address=lab.gateway.ip, port=lab.proxy_port
    )
    (FOLDER / "acng.conf").write_text(configuration)
    log = FOLDER / "output.log"
    cgroups.start(group(lab), ["apt-cacher-ng", "-c", str(FOLDER)], log)
    try:
        wait("apt-cacher-ng listens", 10, lambda: listens(lab))
    except LabError as error:
        raise LabError(f"{error}; {log} says: {log.read_text()[-600:].strip() or 'nothing'}") from None
