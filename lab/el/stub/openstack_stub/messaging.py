"""RabbitMQ: logins as oslo.messaging makes them, and the queue by which services report themselves.

Every service sends its heartbeat to ``stub.heartbeats.SERVICE``; the one process that has the real service's
database for all others (nova-conductor, neutron-server, cinder-scheduler) writes it there, as it would.
"""

import json
import socket
import sys
import time
from urllib.parse import unquote, urlsplit

from . import release
from .config import ConfigError

# A report that nobody fetched in time is old news.
LIFETIME = 10


def servers(config):
    """The logins to try, each as arguments for ``amqp.Connection``."""
    if release.has("transport_url"):
        return parsed(config.need("DEFAULT", "transport_url"))

    def option(name, default):
        return config.get("oslo_messaging_rabbit", name) or config.get("DEFAULT", name) or default

    return [
        {
            "host": "%s:%s" % (option("rabbit_host", "localhost"), option("rabbit_port", "5672")),
            "userid": option("rabbit_userid", "guest"),
            "password": option("rabbit_password", "guest"),
            "virtual_host": option("rabbit_virtual_host", "/"),
        }
    ]


def parsed(url):
    """``rabbit://USER:PASSWORD@HOST:PORT,USER:PASSWORD@HOST:PORT/VIRTUAL_HOST``"""
    scheme, separator, rest = url.partition("://")
    if scheme != "rabbit" or not separator:
        raise ConfigError("transport_url: not an URL of RabbitMQ: %s://…" % scheme)
    members, _, virtual_host = rest.partition("/")
    found = []
    for member in members.split(","):
        parts = urlsplit("rabbit://" + member)
        found.append(
            {
                "host": "%s:%d" % (parts.hostname, parts.port or 5672),
                "userid": unquote(parts.username or "guest"),
                "password": unquote(parts.password or "guest"),
                "virtual_host": unquote(virtual_host.partition("?")[0]) or "/",
            }
        )
    return found


def connect(logins):
    """A connection to the first server that takes us."""
    import amqp

    problem = None
    for login in logins:
        connection = amqp.Connection(connect_timeout=5, read_timeout=30, write_timeout=30, **login)
        try:
            connection.connect()
            return connection
        except Exception as error:
            problem = "RabbitMQ at %s: %s: %s" % (login["host"], type(error).__name__, error)
    raise OSError(problem)


def wait_for(logins, patience=60):
    """A connection, tried again for ``patience`` seconds at most; then the program ends with the reason."""
    end = time.monotonic() + patience
    while True:
        try:
            return connect(logins)
        except OSError as error:
            if time.monotonic() >= end:
                raise ConfigError(str(error)) from None
            print(error, file=sys.stderr, flush=True)
            time.sleep(5)


class Queue:
    """The queue of one service's reports."""

    def __init__(self, service, connection):
        self.name = "stub.heartbeats.%s" % service
        self.connection, self.channel = connection, connection.channel()
        self.channel.queue_declare(queue=self.name, durable=False, auto_delete=False)

    def send(self, report):
        import amqp

        message = amqp.Message(json.dumps(report), expiration=str(LIFETIME * 1000))
        self.channel.basic_publish(message, routing_key=self.name)

    def receive(self, write):
        """Hand every report to ``write``; returns only by an exception."""
        self.channel.basic_consume(
            queue=self.name, no_ack=True, callback=lambda message: write(json.loads(message.body))
        )
        while True:
            try:
                self.connection.drain_events(timeout=5)
            except socket.timeout:
                continue
