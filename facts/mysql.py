"""What a MariaDB server holds, asked over its local socket."""

from __future__ import annotations

from shlex import quote

from pyinfra.api import FactBase

# mysql.user is a table up to MariaDB 10.3 and a view of global_priv from 10.4 on; its Password is right in
# both, unless an old server keeps the hash in authentication_string.
# Grants: information_schema counts the privileges, so that "all" is right for every version, each of which
# has its own set of *_priv columns.
QUERY = """
SET SESSION sql_mode = '';
SELECT 'all', COUNT(*) FROM information_schema.columns
    WHERE table_schema = 'mysql' AND table_name = 'db'
    AND column_name LIKE '%\\_priv' AND column_name <> 'Grant_priv';
SELECT 'schema', schema_name, default_character_set_name, default_collation_name
    FROM information_schema.schemata;
SELECT 'user', User, Host, COALESCE(NULLIF(Password, ''), authentication_string, '') FROM mysql.user;
SELECT 'grant', grantee, table_schema, COUNT(*) FROM information_schema.schema_privileges
    GROUP BY grantee, table_schema;
""".strip()


def client(arguments: str = "") -> str:
    """A shell command: MariaDB's client as root over the local socket.

    The program is ``mariadb`` or, in older packages, ``mysql``. What root's own ``.my.cnf`` says counts.
    """
    return (
        "$(command -v mariadb || command -v mysql || echo mariadb)"
        f" --protocol=socket --user=root --batch --skip-column-names {arguments}"
    ).rstrip()


class MariaDb(FactBase[dict]):
    """Schemas, accounts with the hashes of their passwords, and grants, in one round trip.

    Read it with :func:`facts.reading.read`: a hash is as good as a password for some clients.

    Answers ``{"schemas": {name: [charset, collation]}, "users": {"user@host": hash},
    "grants": {"user@host": [schemas with all privileges]}}``.
    """

    def command(self) -> str:
        return client(f"--execute={quote(QUERY)}")

    def process(self, output: list[str]) -> dict:
        rows = [line.split("\t") for line in output]
        every = next(int(row[1]) for row in rows if row[0] == "all")
        grants: dict[str, list[str]] = {}
        for kind, *row in rows:
            if kind == "grant" and int(row[2]) >= every:
                # In a grant's pattern "\_" is a plain underscore; --batch doubles the backslash.
                grants.setdefault(_account(row[0]), []).append(row[1].replace("\\", ""))
        return {
            "schemas": {row[1]: row[2:] for row in rows if row[0] == "schema"},
            "users": {f"{row[1]}@{row[2]}": row[3] for row in rows if row[0] == "user"},
            "grants": grants,
        }


def _account(grantee: str) -> str:
    """``'nova'@'%'`` → ``nova@%``"""
    user, _, host = grantee.rpartition("@")
    return f"{user.strip(chr(39))}@{host.strip(chr(39))}"
