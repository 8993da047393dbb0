"""Logins to keystone with what a configuration file says, and the check of other people's tokens."""

import json
import threading
import time
import urllib.error
import urllib.request

# Seconds for which a token, or the answer about one, is kept.
KEPT = 60


class LoginError(Exception):
    """keystone is not there, or does not take the login."""


def call(url, token=None, body=None, **headers):
    """(status, headers, JSON) of a request; raises LoginError when nobody answers."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Content-Type"] = "application/json"
    if token:
        headers["X-Auth-Token"] = token
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
            return answer.status, answer.headers, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, error.headers, {}
    except (OSError, ValueError) as error:
        raise LoginError("%s: %s" % (url, error)) from None


class Login:
    """The login of one section of a file.

    Args:
        config: the files.
        section: the section.
    """

    def __init__(self, config, section="keystone_authtoken"):
        self.section = section
        kind = config.get(section, "auth_type") or config.get(section, "auth_plugin")
        if kind not in ("password", "v3password"):
            raise LoginError("[%s] auth_type is %r, not password" % (section, kind))
        needed = ("auth_url", "username", "password", "project_name")
        missing = [name for name in needed if not config.get(section, name)]
        domains = {}
        for owner in ("user", "project"):
            by = [kind for kind in ("name", "id") if config.get(section, "%s_domain_%s" % (owner, kind))]
            if not by:
                missing.append("%s_domain_name" % owner)
            else:
                domains[owner] = {by[0]: config.get(section, "%s_domain_%s" % (owner, by[0]))}
        if missing:
            raise LoginError("[%s] has no %s" % (section, ", ".join(missing)))
        self.username = config.get(section, "username")
        self.url = config.get(section, "auth_url").rstrip("/")
        self.url += "" if self.url.endswith("/v3") else "/v3"
        user = {"name": self.username, "password": config.get(section, "password"), "domain": domains["user"]}
        project = {"name": config.get(section, "project_name"), "domain": domains["project"]}
        self.body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": project},
            }
        }
        self.lock, self.until, self.text, self.catalog, self.known = threading.Lock(), 0.0, "", [], {}

    def token(self):
        """A token of ours.

        Raises:
            LoginError: with the section's name.
        """
        with self.lock:
            if time.monotonic() > self.until:
                status, headers, answer = call(self.url + "/auth/tokens", body=self.body)
                if status != 201:
                    who = (self.section, self.username, self.url, status)
                    raise LoginError("[%s] %s can't log in at %s: status %d" % who)
                self.text, self.catalog = headers["X-Subject-Token"], answer["token"]["catalog"]
                self.until = time.monotonic() + KEPT
            return self.text

    def roles(self, token):
        """The names of the roles of somebody's token; None for a token that keystone does not know.

        Raises:
            LoginError: keystone did not let us ask.
        """
        until, roles = self.known.get(token, (0.0, None))
        if time.monotonic() > until:
            status, _, answer = call(self.url + "/auth/tokens", self.token(), X_Subject_Token=token)
            if status == 404:
                return None
            if status != 200:
                self.until = 0.0
                raise LoginError("keystone does not let %s check tokens: status %d" % (self.username, status))
            roles = {role["name"] for role in answer["token"].get("roles", ())}
            self.known = {token: (time.monotonic() + KEPT, roles)}
        return roles

    def endpoint(self, kind, interface, region):
        """The URL of a service in the catalog."""
        self.token()
        for service in self.catalog:
            for found in service["endpoints"]:
                if (service["type"], found["interface"], found["region"]) == (kind, interface, region):
                    return found["url"].rstrip("/")
        raise LoginError("no %s endpoint of %s in region %s" % (interface, kind, region))


def sections(config):
    """The sections that hold a login."""
    return [
        section
        for section in config.sections()
        if all(config.get(section, name) for name in ("auth_url", "username", "password"))
    ]
