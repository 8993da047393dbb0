"""Where packages come from: the release's package source where the distribution has not got it, and yours."""

from pyinfra import host

from operations import config, packages
from tasks.context import cloud

node = cloud.node(host)

if source := cloud.package_sources(host):
    packages.installed(
        name="Add the release's package source",
        packages=source,
        platform=node.platform.name,
        debconf=[],
    )

for name, source in cloud.settings.apt_sources.items():
    config.file(
        name=f"Add the package source {name}",
        content=source.deb822(),
        dest=f"/etc/apt/sources.list.d/{name}.sources",
        mode="644",
    )
