"""Runs on the first controller: at which revision each database is, and which revision the code wants.

Reads the migrations' files as text, and the table of versions with the service's own credentials: a tenth
of a second for all services, where each one's ``db_sync --check`` takes seconds to start. A tree with a
``migrate.cfg`` is a repository of sqlalchemy-migrate, as old releases have them; any other one is alembic's.

Request: ``{"python": folder, "schemas": [{"database", "host", "user", "password", "versions": [tree, …],
"left_out": [revision, …]}]}``.
Answer: ``{database: {"heads": […], "found": […]}}``, or ``{database: {"error": reason}}``. A revision is
alembic's, or ``REPOSITORY:NUMBER``.
"""

import configparser
import os
import re

import pymysql

# revision = 'a'  |  revision: str = "a"  |  down_revision = ('a', 'b')  |  down_revision = None
# depends_on = "a": a revision of another branch; alembic_version has no row for what such a one includes.
ASSIGNMENT = re.compile(
    r"^(revision|down_revision|depends_on)\s*(?::[^=\n]+)?=\s*(\([^)]*\)|\[[^\]]*\]|[^\n#]+)", re.MULTILINE
)
QUOTED = re.compile(r"""["']([^"']+)["']""")
# 109_add_a_column.py  |  045_sqlite_upgrade.sql
NUMBERED = re.compile(r"^(\d+)_.*\.(py|sql)$")


def repository(tree):
    """The name of a repository of sqlalchemy-migrate, as in its table of versions; None of another tree."""
    path = os.path.join(tree, "migrate.cfg")
    if not os.path.isfile(path):
        return None
    # Without interpolation: a "%" in it is a plain letter.
    parser = configparser.RawConfigParser()
    parser.read(path, encoding="utf-8")
    return parser.get("db_settings", "repository_id")


def revision(name, number):
    return "%s:%03d" % (name, number)


def newest(tree):
    """The number of a repository's last migration."""
    names = map(NUMBERED.match, os.listdir(os.path.join(tree, "versions")))
    numbers = [int(name.group(1)) for name in names if name]
    if not numbers:
        raise RuntimeError("no migration found below %s" % tree)
    return max(numbers)


def heads(trees, left_out=()):
    """The revisions that no other one follows or includes; a tree with branches can have one for each."""
    revisions, followed, numbered = set(), set(left_out), set()
    for tree in trees:
        if not os.path.isdir(tree):
            raise RuntimeError("%s is missing: is the service's package installed?" % tree)
        name = repository(tree)
        if name is not None:
            numbered.add(revision(name, newest(tree)))
            continue
        for folder, _, files in os.walk(tree):
            for name in files:
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        found = dict(ASSIGNMENT.findall(file.read()))
                    revisions.update(QUOTED.findall(found.get("revision", "")))
                    followed.update(QUOTED.findall(found.get("down_revision", "")))
                    followed.update(QUOTED.findall(found.get("depends_on", "")))
    if not revisions and not numbered:
        raise RuntimeError("no migration found below %s" % ", ".join(trees))
    return sorted((revisions - followed) | numbered)


def versions(schema, trees):
    """The revisions the database is at, of the trees' own; none when it has no tables yet."""
    names = [repository(tree) for tree in trees]
    table = "alembic_version" if None in names else "migrate_version"
    connection = pymysql.connect(
        host=schema["host"],
        user=schema["user"],
        password=schema["password"],
        database=schema["database"],
        connect_timeout=10,
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW TABLES LIKE '%s'" % table)
            if not cursor.fetchone():
                return []
            if None in names:
                cursor.execute("SELECT version_num FROM alembic_version")
                return sorted(row[0] for row in cursor.fetchall())
            cursor.execute("SELECT repository_id, version FROM migrate_version")
            # Others' are those of extensions, which have repositories of their own.
            return sorted(revision(name, number) for name, number in cursor.fetchall() if name in names)
    finally:
        connection.close()


def state(python, schema):
    try:
        trees = [os.path.join(python, tree) for tree in schema["versions"]]
        return {"heads": heads(trees, schema.get("left_out", ())), "found": versions(schema, trees)}
    except Exception as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}


def main(request):
    return {schema["database"]: state(request["python"], schema) for schema in request["schemas"]}
