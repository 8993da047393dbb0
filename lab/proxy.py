"""apt-cacher-ng on the management bridge: the hosts' only way to the package mirrors."""

from __future__ import annotations

from lab import paths, server
from lab.hosts import Lab

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
    """Start it unless it runs and listens; LabError as :func:`lab.server.up`."""
    cache = paths.CACHE / "apt"
    for folder in (cache, FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    where = {"address": lab.gateway.ip, "port": lab.proxy_port}
    (FOLDER / "acng.conf").write_text(CONFIGURATION.format(cache=cache, folder=FOLDER, **where))
    argv = ["apt-cacher-ng", "-c", str(FOLDER)]
    server.up(lab, "proxy", lab.proxy_port, argv, FOLDER / "output.log")
