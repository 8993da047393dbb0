"""SQL for MariaDB's databases, accounts and grants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any


def password_hash(password: str) -> str:
    """The hash that ``mysql_native_password`` keeps: ``*`` and SHA-1 of SHA-1, in upper-case hexadecimal."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()


def text(value: str) -> str:
    """A string literal, for every ``sql_mode`` that leaves the backslash its meaning."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def name(value: str) -> str:
    """A quoted name of a database."""
    return "`" + value.replace("`", "``") + "`"


def pattern(value: str) -> str:
    """A quoted name in a grant, where ``_`` and ``%`` would match other databases too."""
    return name(value.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%"))


def missing(
    found: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]], charset: str, collation: str
) -> list[str]:
    """The statements that bring databases, accounts and grants to what is wanted. They drop nothing.

    Args:
        found: what :class:`facts.mysql.MariaDb` answers.
        wanted: each with ``database``, ``user``, ``password`` and ``hosts``.
        charset: character set of databases that are made.
        collation: their collation; "" for the character set's own.
    """
    statements = []
    options = f"CHARACTER SET {charset}" + (f" COLLATE {collation}" if collation else "")
    for entry in wanted:
        database = entry["database"]
        # An existing database keeps its character set: cinder's migrations set their own, and would be
        # contradicted in each run.
        if database not in found["schemas"]:
            statements.append(f"CREATE DATABASE IF NOT EXISTS {name(database)} {options}")
        hashed = password_hash(entry["password"])
        for host in entry["hosts"]:
            account = f"{entry['user']}@{host}"
            same = found["users"].get(account, "").upper() == hashed
            if same and database in found["grants"].get(account, []):
                continue
            # One statement that makes the account, or sets its password, and grants: it means the same in
            # MariaDB 5.5 and in 11. (ALTER USER begins with 10.2.) The hash, as the server's error messages
            # and logs quote statements.
            statements.append(
                f"GRANT ALL PRIVILEGES ON {pattern(database)}.* TO {text(entry['user'])}@{text(host)}"
                f" IDENTIFIED BY PASSWORD '{hashed}'"
            )
    return list(dict.fromkeys(statements))


def unsafe(found: Mapping[str, Any]) -> list[str]:
    """The statements that remove anonymous accounts and the database ``test``.

    Source: mysql_secure_installation, which does the same.
    """
    statements = []
    for account in found["users"]:
        user, _, host = account.rpartition("@")
        if not user:
            statements.append(f"DROP USER {text('')}@{text(host)}")
    if "test" in found["schemas"]:
        statements.append("DROP DATABASE IF EXISTS `test`")
        # Its grants, to everyone, outlive it.
        statements.append("DELETE FROM mysql.db WHERE Db IN ('test', 'test\\\\_%')")
        statements.append("FLUSH PRIVILEGES")
    return statements


def powerless(found: Mapping[str, Any], user: str, hosts: Iterable[str]) -> list[str]:
    """The statements that make accounts with neither password nor rights: who logs in sees nothing.

    Args:
        found: what :class:`facts.mysql.MariaDb` answers.
        user: the account.
        hosts: from where: addresses, and never a pattern.
    """
    return [
        # The empty hash is no password. As above, one statement that every version knows.
        f"GRANT USAGE ON *.* TO {text(user)}@{text(host)} IDENTIFIED BY PASSWORD ''"
        for host in hosts
        if found["users"].get(f"{user}@{host}") != ""
    ]
