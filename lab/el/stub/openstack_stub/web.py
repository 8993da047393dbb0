"""APIs as WSGI applications, and the servers of those that have one of their own."""

import json
import re
import socketserver
import sys
import threading
import traceback
from http import HTTPStatus
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from .login import LoginError


class Refused(Exception):
    """An answer other than the wanted one."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Request:
    """What was asked."""

    def __init__(self, environ):
        self.method = environ["REQUEST_METHOD"]
        self.path = "/" + environ.get("PATH_INFO", "").strip("/")
        self.query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        self.root = "%s://%s" % (environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "localhost"))
        self.environ = environ

    def header(self, name):
        return self.environ.get("HTTP_" + name.upper().replace("-", "_"), "")

    def body(self):
        size = int(self.environ.get("CONTENT_LENGTH") or 0)
        try:
            return json.loads(self.environ["wsgi.input"].read(size) or b"{}")
        except ValueError:
            raise Refused(400, "The request's body is not JSON.") from None


class Application:
    """A WSGI application; ``answer`` gives (status, JSON or text, headers)."""

    def answer(self, request):
        raise NotImplementedError

    def __call__(self, environ, start_response):
        request = Request(environ)
        try:
            status, content, headers = self.answer(request)
        except Refused as error:
            status, content, headers = error.status, str(error), {}
        except Exception as error:
            traceback.print_exc()
            status, content, headers = 500, "%s: see the server's log" % type(error).__name__, {}
        if status >= 400:
            what = "%s %s: %d %s" % (request.method, request.path, status, content)
            print(what, file=sys.stderr, flush=True)
            content = {"error": {"code": status, "title": HTTPStatus(status).phrase, "message": content}}
        text = isinstance(content, str)
        data = content.encode() if text else b"" if content is None else json.dumps(content).encode()
        headers = {
            "Content-Type": "text/html; charset=utf-8" if text else "application/json",
            "Content-Length": str(len(data)),
            "Vary": "X-Auth-Token",
            **headers,
        }
        start_response("%d %s" % (status, HTTPStatus(status).phrase), list(headers.items()))
        return [b"" if request.method == "HEAD" else data]


class Api(Application):
    """A service's API, which asks keystone about every token.

    Args:
        login: the service's own login.
        versions: path below the root -> the document that describes this version.
        resources: pattern of a path -> function that answers it.
        status: of the list of versions.
    """

    def __init__(self, login, versions, resources, status=300):
        self.login, self.versions, self.status = login, versions, status
        self.resources = {re.compile(pattern): function for pattern, function in resources.items()}

    def answer(self, request):
        try:
            # Stricter than the real ones, which fail only when asked for more: verify asks some no more.
            self.login.token()
            if request.path == "/":
                return self.status, {"versions": self._documents(request)}, {}
            for document in self._documents(request):
                if request.path == "/" + document["path"]:
                    return 200, {"version": document}, {}
            token = request.header("X-Auth-Token")
            roles = self.login.roles(token) if token else None
        except LoginError as error:
            raise Refused(503, str(error)) from None
        if roles is None:
            raise Refused(401, "The request you have made requires authentication.")
        if "admin" not in roles:
            raise Refused(403, "Policy doesn't allow this to be performed.")
        for pattern, function in self.resources.items():
            if pattern.fullmatch(request.path):
                return 200, function(), {}
        raise Refused(404, "The resource could not be found.")

    def _documents(self, request):
        return [
            {**document, "path": path, "links": [{"rel": "self", "href": "%s/%s/" % (request.root, path)}]}
            for path, document in self.versions.items()
        ]


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self):
        # Without http.server's look-up of our full name, which takes long where none resolves.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()


class _Handler(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


def serve(address, port, application, poll=0.5):
    """Listen, and answer from now on; the server, which looks for its end every ``poll`` seconds."""
    server = _Server((address, port), _Handler)
    server.set_app(application)
    threading.Thread(target=server.serve_forever, args=(poll,), daemon=True).start()
    return server
