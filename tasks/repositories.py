"""Where packages come from: the release's package source where the distribution has not got it, and yours."""

from pyinfra import host

from operations import config, packages, repositories
from tasks.context import cloud

node = cloud.node(host)
sources = cloud.sources(host)

if sources.packages:
    packages.installed(
        name="Add the release's package source",
        packages=sources.packages,
        platform=node.platform.name,
        debconf=[],
    )

if sources.enabled or sources.repositories or sources.keys:
    repositories.configured(
        name="Declare the package repositories and their keys",
        repositories=sources.repositories,
        keys=sources.keys,
    )
    repositories.reachable(
        name="Ask every repository before anything is installed",
        repositories=sources.repositories,
        packages=cloud.packages(host),
        shipped=sources.shipped,
    )

for name, source in cloud.apt_sources(host).items():
    config.file(
        name=f"Add the package source {name}",
        content=source.deb822(),
        dest=f"/etc/apt/sources.list.d/{name}.sources",
        mode="644",
    )
