"""MariaDB: databases, accounts and grants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyinfra import host
from pyinfra.api import StringCommand, operation

from cloud import mariadb
from facts.mysql import MariaDb, client
from facts.reading import Unreadable, read
from operations.failure import fail

# "%" alone would not do where an anonymous account for localhost exists, which is the closer match.
EVERYWHERE = ("localhost", "%")


@operation()
def present(databases: Sequence[Mapping[str, Any]], charset: str = "utf8mb4", collation: str = ""):
    """Have databases, and accounts with all privileges on them. Nothing is ever dropped.

    Runs on the database's host, as root over the local socket. Give it a ``name``: pyinfra prints the
    arguments of an unnamed operation.

    Args:
        databases: each with ``database``, ``user`` and ``password``; with ``hosts`` (a list), the account
            is only for these.
        charset: character set of the databases.
        collation: their collation; the character set's own without it.

    **Example:**

    .. code:: python

        database.present(
            name="Create glance's database",
            databases=[{"database": "glance", "user": "glance", "password": password}],
        )
    """
    found = _server()
    if isinstance(found, Unreadable):
        yield _unreadable(found)
        return
    wanted = [{"hosts": EVERYWHERE, **entry} for entry in databases]
    statements = mariadb.missing(found, wanted, charset, collation)
    if statements:
        yield _run(statements)
    else:
        host.noop("databases, accounts and grants are as wanted")


@operation()
def hardened():
    """Remove the anonymous accounts and the database ``test`` that old packages come with."""
    found = _server()
    if isinstance(found, Unreadable):
        yield _unreadable(found)
        return
    statements = mariadb.unsafe(found)
    if statements:
        yield _run(statements)
    else:
        host.noop("no anonymous account and no test database")


@operation()
def watched(user: str, hosts: Sequence[str]):
    """Have accounts without password and without rights, by which load balancers ask whether MariaDB serves.

    Args:
        user: the account's name.
        hosts: the load balancers' addresses.
    """
    found = _server()
    if isinstance(found, Unreadable):
        yield _unreadable(found)
        return
    statements = mariadb.powerless(found, user, hosts)
    if statements:
        yield _run(statements)
    else:
        host.noop(f"{user} may ask from {', '.join(hosts)}")


def _server() -> dict | Unreadable:
    return read(MariaDb)


def _unreadable(found: Unreadable):
    return fail(f"MariaDB on {host.name} can't be asked as root over its socket: {found.reason}")


def _run(statements: list[str]) -> StringCommand:
    # By standard input: hashes of passwords are in it.
    script = ["SET SESSION sql_mode = ''", *statements]
    return StringCommand(client(), _stdin="".join(f"{statement};\n" for statement in script))
