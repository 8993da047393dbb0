"""Horizon: its page to log in, as long as its settings could be its settings."""

import socket
import sys
from unittest import mock

from .web import Application, Refused

SETTINGS = "/etc/openstack-dashboard/local_settings"
# What the packaged settings import.
MODULES = (
    "django",
    "django.utils",
    "django.utils.translation",
    "horizon",
    "horizon.utils",
    "openstack_dashboard",
    "openstack_dashboard.settings",
    "openstack_dashboard.exceptions",
)


def settings(path=SETTINGS):
    """The settings, run as Python; what they import of Django is not there and answers anything."""
    found = {"__file__": path}
    with mock.patch.dict(sys.modules, {name: mock.MagicMock() for name in MODULES}), open(path) as file:
        exec(compile(file.read(), path, "exec"), found)
    return found


class Dashboard(Application):
    """The page. Its sessions are in memcached, which must be there; keystone's URL is not tried."""

    def __init__(self, read=settings):
        self.read = read

    def answer(self, request):
        found = self.read()
        allowed = found.get("ALLOWED_HOSTS", [])
        host = request.header("Host").rpartition(":")[0] or request.header("Host")
        if host not in allowed and "*" not in allowed:
            raise Refused(400, "Invalid HTTP_HOST header.")
        for name in ("SECRET_KEY", "OPENSTACK_KEYSTONE_URL"):
            if not found.get(name):
                raise Refused(500, "%s is not set" % name)
        locations = found["CACHES"]["default"]["LOCATION"]
        for location in [locations] if isinstance(locations, str) else locations:
            server, _, port = location.partition(":")
            socket.create_connection((server, int(port)), timeout=5).close()
        path = (request.environ.get("SCRIPT_NAME", "") + request.path).rstrip("/")
        login = "/auth/login"
        if not path.endswith(login):
            start = request.environ.get("SCRIPT_NAME", "")
            return 302, "", {"Location": "%s%s/" % (start, login)}
        return 200, "<!DOCTYPE html><title>Login - OpenStack Dashboard</title><h1>OpenStack</h1>", {}


def application(environ, start_response):
    """What httpd calls."""
    return Dashboard()(environ, start_response)
