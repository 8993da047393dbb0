"""What the stub packages of OpenStack carry besides units, users, directories and sample configuration files.

Every package with a program of this needs ``openstack-stub``, and that needs Python 3 with pymysql and amqp;
the ones with a WSGI file need httpd with mod_wsgi for that same Python.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from cloud.releases import SPANS, Release

MODULE = Path(__file__).parent / "openstack_stub"
# Where the hosts' own Python looks, which is Debian's; EL's folder below has only what is read as text.
IMPORTED = "/usr/lib/python3/dist-packages"
COMMON = "openstack-stub"

# Release -> where EL keeps Python's packages; RDO's version of each service, for the checks' metadata.
PYTHON = {"liberty": "/usr/lib/python2.7/site-packages", "caracal": "/usr/lib/python3.9/site-packages"}

MIGRATE, ALEMBIC = "migrate", "alembic"
NEUTRON_TREE = "neutron/db/migration/alembic_migrations/versions"
# Release -> database -> (kind, tree, sqlalchemy-migrate's repository_id).
TREES: dict[str, dict[str, tuple[str, str, str]]] = {
    "liberty": {
        "keystone": (MIGRATE, "keystone/common/sql/migrate_repo", "keystone"),
        "glance": (MIGRATE, "glance/db/sqlalchemy/migrate_repo", "Glance Migrations"),
        "nova": (MIGRATE, "nova/db/sqlalchemy/migrate_repo", "nova"),
        "neutron": (ALEMBIC, NEUTRON_TREE, ""),
        "cinder": (MIGRATE, "cinder/db/sqlalchemy/migrate_repo", "cinder"),
    },
    "caracal": {
        "keystone": (ALEMBIC, "keystone/common/sql/migrations/versions", ""),
        "glance": (ALEMBIC, "glance/db/sqlalchemy/alembic_migrations/versions", ""),
        "placement": (ALEMBIC, "placement/db/sqlalchemy/alembic/versions", ""),
        "nova_api": (ALEMBIC, "nova/db/api/migrations/versions", ""),
        "nova": (ALEMBIC, "nova/db/main/migrations/versions", ""),
        "nova_cell0": (ALEMBIC, "nova/db/main/migrations/versions", ""),
        "neutron": (ALEMBIC, NEUTRON_TREE, ""),
        "cinder": (ALEMBIC, "cinder/db/migrations/versions", ""),
    },
}

# Package -> programs in /usr/bin; "SERVICE-status" only where the release has the checks.
PROGRAMS: dict[str, tuple[str, ...]] = {
    "openstack-keystone": ("keystone-manage", "keystone-status"),
    "openstack-glance": ("glance-api", "glance-manage", "glance-status", "glance-registry"),
    "openstack-placement-api": ("placement-manage", "placement-status"),
    "openstack-nova-common": ("nova-manage", "nova-status"),
    "openstack-nova-api": ("nova-api",),
    "openstack-nova-conductor": ("nova-conductor",),
    "openstack-nova-scheduler": ("nova-scheduler",),
    "openstack-nova-novncproxy": ("nova-novncproxy",),
    "openstack-nova-compute": ("nova-compute",),
    "openstack-nova-cert": ("nova-cert",),
    "openstack-nova-console": ("nova-consoleauth",),
    "openstack-neutron": (
        "neutron-server",
        "neutron-db-manage",
        "neutron-dhcp-agent",
        "neutron-l3-agent",
        "neutron-metadata-agent",
        "neutron-status",
    ),
    "openstack-neutron-ml2": (),
    "openstack-neutron-linuxbridge": ("neutron-linuxbridge-agent",),
    "openstack-neutron-openvswitch": ("neutron-openvswitch-agent",),
    "openstack-neutron-lbaas": ("neutron-lbaas-agent",),
    "openstack-cinder": (
        "cinder-api", "cinder-scheduler", "cinder-volume", "cinder-manage", "cinder-status",
        "cinder-rootwrap",
    ),
    "openstack-dashboard": (),
    "openstack-packstack": ("packstack",),
}  # fmt: skip
# Package -> WSGI file -> the module with its application, and the application's name there.
WSGI: dict[str, dict[str, tuple[str, str]]] = {
    "openstack-keystone": {
        "/usr/bin/keystone-wsgi-public": ("keystone", "application"),
        "/usr/bin/keystone-wsgi-admin": ("keystone", "application"),
    },
    "openstack-placement-api": {"/usr/bin/placement-api": ("apis", "placement_application")},
    "openstack-dashboard": {
        "/usr/share/openstack-dashboard/openstack_dashboard/wsgi/django.wsgi": ("dashboard", "application"),
    },
}
# Package -> databases whose migrations it carries.
MIGRATIONS: dict[str, tuple[str, ...]] = {
    "openstack-keystone": ("keystone",),
    "openstack-glance": ("glance",),
    "openstack-placement-api": ("placement",),
    "openstack-nova-common": ("nova_api", "nova"),
    "openstack-neutron": ("neutron",),
    "openstack-cinder": ("cinder",),
}
FEATURE_OF = {
    "glance-registry": "glance_registry",
    "nova-cert": "nova_cert",
    "nova-consoleauth": "nova_consoleauth",
}

PROGRAM = """\
#!/usr/bin/python3
import sys

from openstack_stub.programs import main

sys.exit(main())
"""
WSGI_FILE = "from openstack_stub.{} import {} as application  # httpd looks for this name\n"
# As the real package has it: cinder's commands as root go through its own program.
SUDOERS = """\
Defaults:cinder !requiretty
cinder ALL = (root) NOPASSWD: /usr/bin/cinder-rootwrap /etc/cinder/rootwrap.conf *
"""


class File(NamedTuple):
    """One file of a package, root's: its text, and its mode as ``%attr`` has it."""

    text: str
    mode: str = "0644"


def programs(package: str, release: str) -> dict[str, File]:
    """The files of one package, by path.

    Args:
        package: a key of :data:`PROGRAMS`, or :data:`COMMON`.
        release: a key of :data:`PYTHON`.

    Raises:
        KeyError: there is no such package, or no such release.
    """
    if package == COMMON:
        return _common(release)
    files = {}
    for program in PROGRAMS[package]:
        if program.endswith("-status"):
            if not Release(release).has("status_commands"):
                continue
            files.update(_entry_point(program))
        elif program in FEATURE_OF and not Release(release).has(FEATURE_OF[program]):
            continue
        files[f"/usr/bin/{program}"] = File(PROGRAM, "0755")
    for path, source in WSGI.get(package, {}).items():
        files[path] = File(WSGI_FILE.format(*source))
    for database in MIGRATIONS.get(package, ()):
        if database in TREES[release]:
            files.update(_migrations(PYTHON[release], database, *TREES[release][database]))
    if package == "openstack-nova-novncproxy":
        files["/usr/share/novnc/vnc_auto.html"] = File("<!DOCTYPE html><title>noVNC</title>\n")
    if package == "openstack-cinder":
        files["/etc/sudoers.d/cinder"] = File(SUDOERS, "0440")
    return files


def _common(release: str) -> dict[str, File]:
    """The module, and what it must know of the release."""
    facts = {
        "release": release,
        "python": PYTHON[release],
        "features": sorted(feature for feature in SPANS if Release(release).has(feature)),
        "trees": {database: tree for database, (_, tree, _) in TREES[release].items()},
    }
    files = {
        f"{IMPORTED}/openstack_stub/{path.name}": File(path.read_text())
        for path in sorted(MODULE.glob("*.py"))
    }
    return {
        **files,
        "/usr/share/openstack-stub/release.json": File(json.dumps(facts, indent=1, sort_keys=True) + "\n"),
    }


def _entry_point(program: str) -> dict[str, File]:
    """What makes a check a console script that importlib.metadata finds."""
    service = program.partition("-")[0]
    folder = f"{IMPORTED}/{service}-0.stub.dist-info"
    return {
        f"{folder}/METADATA": File(f"Metadata-Version: 2.1\nName: {service}\nVersion: 0+stub\n"),
        f"{folder}/entry_points.txt": File(f"[console_scripts]\n{program} = openstack_stub.programs:main\n"),
    }


def _revision(*words: str) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


def _migrations(python: str, database: str, kind: str, tree: str, repository: str) -> dict[str, File]:
    """Two steps of a schema; neutron's second one is two, for its branches "expand" and "contract"."""
    root = f"{python}/{tree}"
    if kind == MIGRATE:
        text = "def upgrade(migrate_engine):\n    pass\n"
        settings = f"[db_settings]\nrepository_id={repository}\nversion_table=migrate_version\n"
        return {
            f"{root}/migrate.cfg": File(settings),
            f"{root}/versions/001_initial.py": File(text),
            f"{root}/versions/002_more.py": File(text),
        }
    first = _revision(database, "initial")
    names = {"expand/more": "", "contract/more": ""} if database == "neutron" else {"more": ""}
    files = {f"{root}/{first}_initial.py": File(f"revision = '{first}'\ndown_revision = None\n")}
    for name in names:
        revision = _revision(database, name)
        folder, _, last = name.rpartition("/")
        path = f"{root}/{folder}/{revision}_{last}.py" if folder else f"{root}/{revision}_{last}.py"
        files[path] = File(f"revision = '{revision}'\ndown_revision = '{first}'\n")
    return files
