"""Where packages come from. Debian packages this release itself: only your own sources are added."""

from pyinfra import host

from operations import config
from tasks.context import cloud

node = cloud.node(host)

for name, source in cloud.settings.apt_sources.items():
    config.file(
        name=f"Add the package source {name}",
        content=source.deb822(),
        dest=f"/etc/apt/sources.list.d/{name}.sources",
        mode="644",
    )
