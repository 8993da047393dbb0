"""Which release these programs stand in for: written into a file by the builder of the packages."""

import functools
import json
import os
import re

PLACE = "/usr/share/openstack-stub/release.json"


@functools.lru_cache(None)
def facts():
    """``{"release", "python": folder, "features": [name, …], "trees": {database: tree}}``."""
    with open(PLACE, encoding="utf-8") as file:
        return json.load(file)


def has(feature):
    """Whether the release has something of the deploy's table of features."""
    return feature in facts()["features"]


def has_database(name):
    return name in facts()["trees"]


def heads(database):
    """Where the shipped migrations lead: ``("alembic", [revision])`` or ``("migrate", id, path, number)``."""
    tree = os.path.join(facts()["python"], facts()["trees"][database])
    cfg = os.path.join(tree, "migrate.cfg")
    if os.path.exists(cfg):
        with open(cfg, encoding="utf-8") as file:
            identifier = re.search(r"^repository_id\s*=\s*(.+)$", file.read(), re.M).group(1).strip()
        numbers = [int(name[:3]) for name in os.listdir(os.path.join(tree, "versions")) if name[:3].isdigit()]
        return ("migrate", identifier, tree, max(numbers))
    revisions, followed = set(), set()
    for folder, _, names in os.walk(tree):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    text = file.read()
                revisions.update(re.findall(r"^revision = '(\w+)'", text, re.M))
                followed.update(re.findall(r"^down_revision = '(\w+)'", text, re.M))
    if not revisions:
        raise SystemExit("no migrations in %s" % tree)
    return ("alembic", sorted(revisions - followed))
