"""The lab's stand-ins for OpenStack's programs, with sqlite in place of MariaDB, and no RabbitMQ."""

import contextlib
import json
import sqlite3

from lab.el.stub import content
from lab.el.stub.openstack_stub import keystone, release, store, web

PASSWORDS = {name: f"pass-{name}" for name in ("admin", "glance", "nova", "neutron", "cinder", "placement")}
PROJECTS = {"admin": "admin"}


class Host:
    """A host that has every stub package of a release.

    Attributes:
        folder: takes the place of its root.
    """

    def __init__(self, folder, name, monkeypatch):
        self.folder = folder
        for package in (content.COMMON, *content.PROGRAMS):
            for path, file in content.programs(package, name).items():
                target = folder / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(file.text)
        facts = json.loads((folder / release.PLACE.lstrip("/")).read_text())
        facts["python"] = str(folder) + facts["python"]
        monkeypatch.setattr(release, "facts", lambda: facts)
        monkeypatch.setattr(store, "opened", self.opened)

    @contextlib.contextmanager
    def opened(self, url):
        """The database that an URL names, whatever its server."""
        path = self.folder / url.rpartition("/")[2].partition("?")[0]
        with contextlib.closing(sqlite3.connect(path)) as connection:
            yield store.Store(connection, "?")
            connection.commit()

    def write(self, path, text):
        """A configuration file; where it lies."""
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return str(target)


@contextlib.contextmanager
def served(application):
    """An application on a port of its own; its URL."""
    server = web.serve("127.0.0.1", 0, application, poll=0.01)
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def keystone_of(host, keys, admin_token="", v2=False):
    """The stub's keystone, its schema at head."""
    (keys / "1").write_bytes(b"first")
    with host.opened("keystone") as opened:
        opened.create("keystone", release.heads("keystone"))
    tokens = keystone.FernetTokens(str(keys))
    return keystone.Keystone(lambda: host.opened("keystone"), tokens, admin_token, v2)


def login(url, user, section="keystone_authtoken"):
    """A section with a service's login."""
    return f"""
[{section}]
auth_type = password
auth_url = {url}
username = {user}
password = {PASSWORDS[user]}
project_name = {PROJECTS.get(user, "service")}
user_domain_name = Default
project_domain_name = Default
"""
