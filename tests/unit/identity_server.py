"""A small keystone that speaks HTTP: the few calls the identity program needs, and no memory."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADMIN = {
    "username": "admin",
    "password": "0f4be2c19d77",
    "project_name": "admin",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
    "region_name": "RegionOne",
}
COLLECTIONS = ("domains", "projects", "users", "roles", "regions", "services", "endpoints")


class Keystone(ThreadingHTTPServer):
    """A keystone.

    Attributes:
        held: collection -> ID -> item, with keystone's attributes.
        assignments: of roles.
        calls: (method, path) of what it was asked.
        starting: how many times it still answers 503.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v3"
        self.admin = {**ADMIN, "auth_url": self.url}
        self.held = {collection: {} for collection in COLLECTIONS}
        self.held["domains"]["default"] = {"id": "default", "name": "Default", "enabled": True}
        self.held["domains"]["theirs"] = {"id": "theirs", "name": "Theirs", "enabled": True}
        self.assignments = []
        self.calls = []
        self.starting = 0
        self.lock = threading.Lock()
        self.add("users", name="admin", password=ADMIN["password"], domain_id="default")
        self.add("projects", name="admin", domain_id="default")

    def add(self, collection, **item):
        """Put something in, as keystone would: with an ID, enabled, and with a description."""
        identifier = item.get("id") or f"{collection}-{len(self.held[collection])}"
        item = {"enabled": True, "description": "", **item, "id": identifier}
        if "region_id" in item:
            item["region"] = item["region_id"]
        self.held[collection][identifier] = item
        return item


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: else each answer waits 40 ms for the client's delayed acknowledgement.
    wbufsize = 65536

    def answer(self, status, body=None, **headers):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": len(text),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, status, message):
        self.answer(status, {"error": {"code": status, "message": message}})

    def handle_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else {}
        path, _, query = self.path.removeprefix("/v3").partition("?")
        with self.server.lock:
            self.server.calls.append((self.command, path))
            if self.server.starting:
                self.server.starting -= 1
                self.refuse(503, "starting")
            elif path == "/auth/tokens":
                self.log_in(body["auth"])
            elif path in ("", "/"):
                links = [{"rel": "self", "href": self.server.url + "/"}]
                self.answer(200, {"version": {"id": "v3.14", "status": "stable", "links": links}})
            elif self.headers.get("X-Auth-Token") != "a-token":
                self.refuse(401, "no token")
            else:
                self.resources(path, dict(pair.split("=") for pair in query.split("&") if pair), body)

    do_GET = do_POST = do_PATCH = do_PUT = handle_any

    def log_in(self, auth):
        login = auth["identity"]["password"]["user"]
        for user in self.server.held["users"].values():
            if (user["name"], user["password"]) == (login["name"], login["password"]) and user["enabled"]:
                times = {
                    "issued_at": "2020-01-01T00:00:00.000000Z",
                    "expires_at": "2999-01-01T00:00:00.000000Z",
                }
                token = {"methods": ["password"], "user": {"id": user["id"], "name": user["name"]}, **times}
                # No catalog: keystone is not registered in itself yet.
                self.answer(201, {"token": {**token, "catalog": []}}, X_Subject_Token="a-token")
                return
        self.refuse(401, "The request you have made requires authentication.")

    def resources(self, path, query, body):
        held, add = self.server.held, self.server.add
        if given := re.fullmatch("/projects/(.*)/users/(.*)/roles/(.*)", path):
            project, user, role = given.groups()
            if role not in held["roles"]:
                return self.refuse(404, f"Could not find role: {role}.")
            scope = {"project": {"id": project}}
            self.server.assignments.append({"scope": scope, "user": {"id": user}, "role": {"id": role}})
            return self.answer(204)
        if path == "/role_assignments":
            return self.answer(200, {"role_assignments": self.server.assignments})
        collection, _, identifier = path.strip("/").partition("/")
        if self.command == "GET":
            items = [
                {key: value for key, value in item.items() if key != "password"}
                for item in held[collection].values()
                if all(item.get(key) == value for key, value in query.items())
            ]
            return self.answer(200, {collection: items})
        kind = collection.removesuffix("s")
        values = body[kind]
        if self.command == "PATCH":
            held[collection][identifier].update(values)
            return self.answer(200, {kind: held[collection][identifier]})
        if any(values.get("name") == item.get("name") is not None for item in held[collection].values()):
            # Quotes what it was given, as an API might.
            return self.refuse(409, f"Duplicate: {values}")
        if values.get("region_id", "") not in {"", *held["regions"]}:
            return self.refuse(400, f"no such region: {values['region_id']}")
        return self.answer(201, {kind: add(collection, **values)})

    def log_message(self, *arguments):
        pass


@contextmanager
def running():
    """A keystone that answers for as long as the block lasts."""
    server = Keystone()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
