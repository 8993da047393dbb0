"""Runs on the first controller: at which revision each database is, and which revision the code wants.

Reads alembic's migration files as text, and ``alembic_version`` with the service's own credentials: a tenth
of a second for all services, where each one's ``db_sync --check`` takes seconds to start.

Request: ``{"python": folder, "schemas": [{"database", "host", "user", "password", "versions": [tree, …]}]}``.
Answer: ``{database: {"heads": […], "found": […]}}``, or ``{database: {"error": reason}}``.
"""

import os
import re

import pymysql

# revision = 'a'  |  revision: str = "a"  |  down_revision = ('a', 'b')  |  down_revision = None
# depends_on = "a": a revision of another branch; alembic_version has no row for what such a one includes.
ASSIGNMENT = re.compile(
    r"^(revision|down_revision|depends_on)\s*(?::[^=\n]+)?=\s*(\([^)]*\)|\[[^\]]*\]|[^\n#]+)", re.MULTILINE
)
QUOTED = re.compile(r"""["']([^"']+)["']""")


def heads(trees):
    """The revisions that no other one follows or includes; a tree with branches can have one for each."""
    revisions, followed = set(), set()
    for tree in trees:
        if not os.path.isdir(tree):
            raise RuntimeError("%s is missing: is the service's package installed?" % tree)
        for folder, _, files in os.walk(tree):
            for name in files:
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        found = dict(ASSIGNMENT.findall(file.read()))
                    revisions.update(QUOTED.findall(found.get("revision", "")))
                    followed.update(QUOTED.findall(found.get("down_revision", "")))
                    followed.update(QUOTED.findall(found.get("depends_on", "")))
    if not revisions:
        raise RuntimeError("no migration found below %s" % ", ".join(trees))
    return sorted(revisions - followed)


def versions(schema):
    """The revisions the database is at; none when it has no tables yet."""
    connection = pymysql.connect(
        host=schema["host"],
        user=schema["user"],
        password=schema["password"],
        database=schema["database"],
        connect_timeout=10,
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW TABLES LIKE 'alembic_version'")
            if not cursor.fetchone():
                return []
            cursor.execute("SELECT version_num FROM alembic_version")
            return sorted(row[0] for row in cursor.fetchall())
    finally:
        connection.close()


def state(python, schema):
    try:
        trees = [os.path.join(python, tree) for tree in schema["versions"]]
        return {"heads": heads(trees), "found": versions(schema)}
    except Exception as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}


def main(request):
    return {schema["database"]: state(request["python"], schema) for schema in request["schemas"]}
