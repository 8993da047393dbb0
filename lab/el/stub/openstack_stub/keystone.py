"""keystone: version 3 of its API, with its state in keystone's database. A WSGI application for httpd.

It knows one policy: with the role "admin" on the token's project one may do everything, with "service" check
tokens, and without either check the own. Not there: groups, domain and system scopes, trusts, implied roles,
revocation, version 2.0 but for its description.
"""

import base64
import functools
import hashlib
import hmac
import json
import os
import re
import secrets
import socket
import time
import uuid

from . import release, store
from .config import Config, defaults
from .web import Application, Refused

LIFETIME = 3600
FERNET_KEYS = "/etc/keystone/fernet-keys"
ROUNDS = 1000  # keystone's own hashes are slow on purpose
LAYOUT = "%Y-%m-%dT%H:%M:%S.000000Z"
# Collection -> what one of it is called, which is also its table.
KINDS = {
    "domains": "domain",
    "projects": "project",
    "users": "user",
    "roles": "role",
    "regions": "region",
    "services": "service",
    "endpoints": "endpoint",
}
# What may be there once only.
UNIQUE = {
    "domain": ("name",),
    "project": ("domain_id", "name"),
    "user": ("domain_id", "name"),
    "role": ("name",),
}
NEEDED = {"service": ("type",), "endpoint": ("service_id", "interface", "url"), "region": ()}
FORBIDDEN = Refused(403, "You are not authorized to perform the requested action.")
NO_LOGIN = Refused(401, "The request you have made requires authentication.")


def hashed(password, salt=None):
    salt = salt or secrets.token_hex(8)
    return salt + "$" + hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ROUNDS).hex()


class Directory:
    """What keystone holds: items of the kinds above, and who has which role on which project."""

    def __init__(self, opened):
        self.store = opened

    def all(self, kind, **wanted):
        items = [json.loads(content) for (content,) in self.store("SELECT content FROM %s" % kind)]
        return [item for item in items if all(_same(item.get(key), value) for key, value in wanted.items())]

    def one(self, kind, identifier):
        rows = self.store("SELECT content FROM %s WHERE id = %%s" % kind, identifier)
        if not rows:
            raise Refused(404, "Could not find %s: %s." % (kind, identifier))
        return json.loads(rows[0][0])

    def put(self, kind, item):
        """Write an item, new or changed.

        Raises:
            Refused: 409 for a second one with the same name, 404 for what it refers to and is not there.
        """
        if "password" in item:
            item["hash"] = hashed(item.pop("password"))
        for name, referred in (("domain_id", "domain"), ("service_id", "service"), ("region_id", "region")):
            if item.get(name):
                self.one(referred, item[name])
        unique = {name: item.get(name) for name in UNIQUE.get(kind, ("id",))}
        if any(other["id"] != item["id"] for other in self.all(kind, **unique)):
            raise Refused(409, "Conflict occurred attempting to store %s - Duplicate entry." % kind)
        self.store("REPLACE INTO %s VALUES (%%s, %%s)" % kind, item["id"], json.dumps(item))
        return item

    def create(self, kind, **values):
        missing = [name for name in NEEDED.get(kind, ("name",)) if not values.get(name)]
        if missing:
            raise Refused(400, "%s: %s is a required property" % (kind, ", ".join(missing)))
        new = {"id": uuid.uuid4().hex, "description": ""}
        if kind not in ("role", "region"):
            new["enabled"] = True
        if kind in ("project", "user"):
            new["domain_id"] = "default"
        if kind == "region" and any(item["id"] == values.get("id") for item in self.all("region")):
            raise Refused(409, "Conflict occurred attempting to store region - Duplicate ID.")
        return self.put(kind, {**new, **values})

    def assign(self, user, project, role):
        self.store("REPLACE INTO assignment VALUES (%s, %s, %s)", user, project, role)

    def assignments(self):
        return self.store("SELECT user, project, role FROM assignment")

    def roles(self, user, project):
        """The roles of a user on a project."""
        return [self.one("role", role) for u, p, role in self.assignments() if (u, p) == (user, project)]

    def ensure(self, kind, **values):
        """The item with this name, made or brought to these values."""
        name = {key: values[key] for key in UNIQUE[kind] if key in values}
        found = self.all(kind, **name)
        return self.put(kind, {**found[0], **values}) if found else self.create(kind, **values)

    def bootstrap(self, username, password, project, role):
        """What ``keystone-manage bootstrap`` makes, or gives back."""
        self.default_domain()
        owner = self.ensure("project", name=project, domain_id="default")
        user = self.ensure("user", name=username, domain_id="default", password=password, enabled=True)
        for other in ("service", "reader", "member", "manager", role):
            given = self.ensure("role", name=other)
        self.assign(user["id"], owner["id"], given["id"])

    def default_domain(self):
        self.ensure("domain", name="Default", id="default")


def _same(found, wanted):
    """As MariaDB compares, without case."""
    if isinstance(found, str) and isinstance(wanted, str):
        return found.casefold() == wanted.casefold()
    return str(found).casefold() == wanted.casefold() if isinstance(wanted, str) else found == wanted


class FernetTokens:
    """Tokens that carry their content, signed with the keys of a directory; the highest number signs."""

    def __init__(self, directory=FERNET_KEYS):
        self.directory = directory

    def _keys(self):
        names = sorted((name for name in os.listdir(self.directory) if name.isdigit()), key=int, reverse=True)
        if not names:
            raise RuntimeError("%s has no keys" % self.directory)
        keys = []
        for name in names:
            with open(os.path.join(self.directory, name), "rb") as file:
                keys.append(file.read())
        return keys

    def _signed(self, key, payload):
        return base64.urlsafe_b64encode(hmac.new(key, payload, "sha256").digest()).decode().rstrip("=")

    def issue(self, content):
        payload = base64.urlsafe_b64encode(json.dumps(content).encode())
        return "gAAAAA%s.%s" % (payload.decode(), self._signed(self._keys()[0], payload))

    def content(self, token):
        payload, _, signature = token[6:].partition(".")
        if not any(
            hmac.compare_digest(self._signed(key, payload.encode()), signature) for key in self._keys()
        ):
            return None
        return json.loads(base64.urlsafe_b64decode(payload))


class MemcachedTokens:
    """Random tokens, kept in memcached: liberty's ``provider = uuid``, ``driver = memcache``."""

    def __init__(self, servers):
        host, _, port = servers.split(",")[0].partition(":")
        self.server = (host, int(port or 11211))

    def _ask(self, command):
        with socket.create_connection(self.server, timeout=5) as server, server.makefile("rwb") as file:
            file.write(command)
            file.flush()
            first = file.readline()
            return first, file.readline() if first.startswith(b"VALUE ") else b""

    def issue(self, content):
        token, data = uuid.uuid4().hex, json.dumps(content).encode()
        answer, _ = self._ask(b"set stub-%s 0 %d %d\r\n%s\r\n" % (token.encode(), LIFETIME, len(data), data))
        if answer.strip() != b"STORED":
            raise RuntimeError("memcached: %r" % answer)
        return token

    def content(self, token):
        if not re.fullmatch("[0-9a-f]{32}", token):
            return None
        return json.loads(self._ask(b"get stub-%s\r\n" % token.encode())[1] or b"null")


class Keystone(Application):
    """The API.

    Args:
        opened: function whose context manager is a :class:`openstack_stub.store.Store`.
        tokens: one of the classes above.
        admin_token: a token that is an administrator's, or nothing.
        v2: whether it describes version 2.0 too.
    """

    def __init__(self, opened, tokens, admin_token="", v2=False):
        self.opened, self.tokens, self.admin_token, self.v2 = opened, tokens, admin_token, v2

    def answer(self, request):
        if request.path == "/":
            documents = [self._version(request, name) for name in self._versions()]
            return 300, {"versions": {"values": documents}}, {}
        if request.path.strip("/") in self._versions():
            return 200, {"version": self._version(request, request.path.strip("/"))}, {}
        if not request.path.startswith("/v3/"):
            raise Refused(404, "(http://…%s): The resource could not be found." % request.path)
        path = request.path[3:]
        with self.opened() as opened:
            directory = Directory(opened)
            if path == "/auth/tokens" and request.method == "POST":
                return self._log_in(directory, request)
            token = request.header("X-Auth-Token")
            asking = self._who(directory, token)
            if path == "/auth/tokens":
                return self._check(directory, request, asking)
            if "admin" not in asking["roles"]:
                raise FORBIDDEN
            return (*self._resource(directory, request, path), {})

    def _versions(self):
        return ("v3", "v2.0") if self.v2 else ("v3",)

    def _version(self, request, name):
        link = {"rel": "self", "href": "%s/%s/" % (request.root, name)}
        return {
            "id": "v3.14" if name == "v3" else name,
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [link],
            "media-types": [],
        }

    # Tokens

    def _log_in(self, directory, request):
        auth = request.body().get("auth", {})
        try:
            login = auth["identity"]["password"]["user"]
            password = login["password"]
        except (KeyError, TypeError):
            raise Refused(400, "Expecting to find a user with a password in identity.") from None
        user = self._named(directory, "user", login)
        known = user.get("hash", "$")
        if not hmac.compare_digest(known, hashed(password, known.partition("$")[0])):
            raise NO_LOGIN
        scope = auth.get("scope") or {}
        project = self._named(directory, "project", scope["project"])["id"] if "project" in scope else None
        if isinstance(scope, dict) and set(scope) - {"project"}:
            raise Refused(401, "No other scope than a project's is known here.")
        content = {"user": user["id"], "project": project, "expires": int(time.time()) + LIFETIME}
        described = self._described(directory, content, request)
        if project and not described["roles"]:
            raise NO_LOGIN
        return 201, {"token": described}, {"X-Subject-Token": self.tokens.issue(content)}

    def _named(self, directory, kind, wanted):
        """The enabled user or project of a login, by ID or by name and domain."""
        if "id" in wanted:
            found = directory.all(kind, id=wanted["id"])
        else:
            domain = wanted.get("domain", {})
            key = "id" if "id" in domain else "name"
            domains = directory.all("domain", **{key: domain.get(key, "")}, enabled=True)
            name = wanted.get("name", "")
            found = directory.all(kind, name=name, domain_id=domains[0]["id"]) if domains else []
        if not found or not found[0]["enabled"]:
            raise NO_LOGIN
        return found[0]

    def _who(self, directory, token):
        """Whose token it is: ``{"user", "roles": names}``."""
        if self.admin_token and hmac.compare_digest(self.admin_token.encode(), token.encode()):
            return {"user": None, "roles": {"admin"}}
        content = self._content(directory, token)
        if not content:
            raise NO_LOGIN
        roles = directory.roles(content["user"], content["project"])
        return {"user": content["user"], "roles": {role["name"] for role in roles}}

    def _content(self, directory, token):
        """A valid token's content, or None."""
        content = self.tokens.content(token) if token else None
        if not content or content["expires"] < time.time():
            return None
        used = [directory.all(kind, id=content[kind]) for kind in ("user", "project") if content[kind]]
        return content if all(found and found[0]["enabled"] for found in used) else None

    def _check(self, directory, request, asking):
        content = self._content(directory, request.header("X-Subject-Token"))
        if not content:
            raise Refused(404, "Could not find token.")
        if asking["user"] != content["user"] and not asking["roles"] & {"admin", "service"}:
            raise FORBIDDEN
        token = request.header("X-Subject-Token")
        return 200, {"token": self._described(directory, content, request)}, {"X-Subject-Token": token}

    def _described(self, directory, content, request):
        def reference(kind, identifier):
            item = directory.one(kind, identifier)
            domain = directory.one("domain", item["domain_id"])
            named = {"id": domain["id"], "name": domain["name"]}
            return {"id": item["id"], "name": item["name"], "domain": named}

        described = {
            "methods": ["password"],
            "user": reference("user", content["user"]),
            "audit_ids": [secrets.token_urlsafe(16)],
            "issued_at": time.strftime(LAYOUT, time.gmtime(content["expires"] - LIFETIME)),
            "expires_at": time.strftime(LAYOUT, time.gmtime(content["expires"])),
        }
        if content["project"]:
            described["project"] = reference("project", content["project"])
            roles = directory.roles(content["user"], content["project"])
            described["roles"] = [{"id": role["id"], "name": role["name"]} for role in roles]
            described["catalog"] = self._catalog(directory, content)
        return described

    def _catalog(self, directory, content):
        values = {
            "project_id": content["project"],
            "tenant_id": content["project"],
            "user_id": content["user"],
        }
        endpoints = [item for item in directory.all("endpoint") if item["enabled"]]
        return [
            {
                **{key: service.get(key, "") for key in ("id", "type", "name")},
                "endpoints": [
                    {
                        **{key: item.get(key) for key in ("id", "interface", "region_id")},
                        "region": item.get("region_id"),
                        "url": re.sub(r"[%$]\((\w+)\)s", lambda found: values[found[1]], item["url"]),
                    }
                    for item in endpoints
                    if item["service_id"] == service["id"]
                ],
            }
            for service in directory.all("service")
            if service["enabled"]
        ]

    # Everything else

    def _resource(self, directory, request, path):
        if path == "/role_assignments" and request.method == "GET":
            given = [
                {"user": {"id": user}, "role": {"id": role}, "scope": {"project": {"id": project}}}
                for user, project, role in directory.assignments()
            ]
            return 200, {"role_assignments": given, "links": {}}
        grant = re.fullmatch("/projects/([^/]+)/users/([^/]+)/roles/([^/]+)", path)
        if grant:
            return self._grant(directory, request.method, *grant.groups())
        found = re.fullmatch("/(%s)(?:/([^/]+))?" % "|".join(KINDS), path)
        if not found:
            raise Refused(404, "The resource could not be found.")
        collection, identifier = found.groups()
        kind = KINDS[collection]
        method = request.method
        if method == "GET" and identifier is None:
            items = directory.all(kind, **request.query)
            return 200, {collection: [shown(kind, item) for item in items], "links": {"next": None}}
        if method == "POST" and identifier is None:
            return 201, {kind: shown(kind, directory.create(kind, **request.body().get(kind, {})))}
        if method in ("GET", "HEAD", "PATCH", "DELETE") and identifier:
            item = directory.one(kind, identifier)
            if method == "PATCH":
                item = directory.put(kind, {**item, **request.body().get(kind, {}), "id": identifier})
            if method == "DELETE":
                directory.store("DELETE FROM %s WHERE id = %%s" % kind, identifier)
                return 204, None
            return 200, {kind: shown(kind, item)}
        raise Refused(405, "The method is not allowed for the requested URL.")

    def _grant(self, directory, method, project, user, role):
        for kind, identifier in (("project", project), ("user", user), ("role", role)):
            directory.one(kind, identifier)
        if method == "PUT":
            directory.assign(user, project, role)
        elif (user, project, role) not in [tuple(row) for row in directory.assignments()]:
            raise Refused(404, "Could not find role assignment.")
        elif method == "DELETE":
            directory.store(
                "DELETE FROM assignment WHERE user = %s AND project = %s AND role = %s", user, project, role
            )
        return 204, None


def shown(kind, item):
    """An item as the API shows it."""
    item = {key: value for key, value in item.items() if key != "hash"}
    if kind == "endpoint":
        item["region"] = item.get("region_id")
    return item


@functools.lru_cache(None)
def configured():
    """The API by /etc/keystone/keystone.conf."""
    config = Config(defaults("keystone", ["keystone.conf"]))
    url = store.url_of(config, "keystone")
    uuid_tokens = release.has("uuid_tokens")
    provider = config.get("token", "provider") or ("uuid" if uuid_tokens else "fernet")
    if provider == "uuid" and uuid_tokens:
        tokens = MemcachedTokens(config.get("memcache", "servers") or "localhost:11211")
    elif provider == "fernet":
        tokens = FernetTokens(config.get("fernet_tokens", "key_repository") or FERNET_KEYS)
    else:
        raise RuntimeError("[token] provider = %s: this release has none such" % provider)
    admin_token = config.get("DEFAULT", "admin_token") if release.has("admin_token") else ""
    return Keystone(lambda: store.opened(url), tokens, admin_token, release.has("identity_v2"))


def application(environ, start_response):
    """What httpd calls."""
    return configured()(environ, start_response)
