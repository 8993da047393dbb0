"""The services' databases: how they are opened, which tables they have, at which version they are."""

import contextlib
import datetime
import time
from urllib.parse import unquote, urlsplit

from . import release
from .config import ConfigError

UNREACHABLE = ((2003,), (2013,))  # MySQL: no connection, and one lost on the way
LAYOUT = "%Y-%m-%dT%H:%M:%S.%f"
ITEMS = "(id VARCHAR(64) PRIMARY KEY, content TEXT NOT NULL)"
# "program", for BINARY is a word of SQL. details: JSON that the program sent along.
REPORTS = (
    "(host VARCHAR(255) NOT NULL, program VARCHAR(100) NOT NULL, updated_at VARCHAR(32) NOT NULL, "
    "details TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (host, program))"
)
NOVA = {
    "services": REPORTS,
    "compute_nodes": "(host VARCHAR(255) PRIMARY KEY, deleted INTEGER NOT NULL DEFAULT 0)",
}
TABLES = {
    "keystone": {
        **dict.fromkeys(("domain", "project", "user", "role", "region", "service", "endpoint"), ITEMS),
        "assignment": (
            "(user VARCHAR(64), project VARCHAR(64), role VARCHAR(64), PRIMARY KEY (user, project, role))"
        ),
    },
    "glance": {"images": ITEMS},
    "placement": {"resource_providers": ITEMS},
    "nova_api": {
        "cell_mappings": (
            "(uuid VARCHAR(36) PRIMARY KEY, name VARCHAR(255), transport_url TEXT, database_connection TEXT)"
        ),
        "host_mappings": "(host VARCHAR(255) PRIMARY KEY, cell VARCHAR(36) NOT NULL)",
    },
    "nova": NOVA,
    "nova_cell0": NOVA,
    "neutron": {"agents": REPORTS},
    "cinder": {"services": REPORTS},
}
VERSIONS = {
    "alembic": ("alembic_version", "(version_num VARCHAR(32) NOT NULL PRIMARY KEY)"),
    "migrate": (
        "migrate_version",
        "(repository_id VARCHAR(250) NOT NULL PRIMARY KEY, repository_path TEXT, version INTEGER)",
    ),
}


class Store:
    """A connection to a database (DB-API). Statements have ``%s`` for their values.

    Args:
        connection: what pymysql or sqlite3 connected.
        sign: what stands for a value in the driver's own statements.
    """

    def __init__(self, connection, sign="%s"):
        self.connection, self.sign = connection, sign

    def __call__(self, statement, *values):
        """Run a statement, answer its rows."""
        with contextlib.closing(self.connection.cursor()) as cursor:
            cursor.execute(statement.replace("%s", self.sign), values)
            return list(cursor.fetchall())

    def create(self, database, head):
        """Bring the database to ``head`` (of ``release.heads``): its tables, then the version."""
        version, columns = VERSIONS[head[0]]
        for table, definition in {**TABLES[database], version: columns}.items():
            self("CREATE TABLE IF NOT EXISTS %s %s" % (table, definition))
        self("DELETE FROM %s" % version)
        rows = [head[1:]] if head[0] == "migrate" else [(revision,) for revision in head[1]]
        for row in rows:
            self("INSERT INTO %s VALUES (%s)" % (version, ", ".join(["%s"] * len(row))), *row)

    def check(self, database):
        """Raise unless the tables are there, empty or not."""
        for table in TABLES[database]:
            self("SELECT COUNT(*) FROM %s" % table)


@contextlib.contextmanager
def opened(url):
    """The database of an SQLAlchemy URL, for one transaction.

    Raises:
        ConfigError: the URL names no MySQL.
        pymysql.err.Error: no login, or what the statements raise.
    """
    import pymysql

    parts = urlsplit(url)
    if parts.scheme not in ("mysql", "mysql+pymysql") or not parts.hostname:
        raise ConfigError("not an URL of MySQL: %s://…" % parts.scheme)
    connection = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/"),
        connect_timeout=10,
    )
    try:
        yield Store(connection)
        connection.commit()
    finally:
        connection.close()


def ready(url, database, patience=60):
    """End with the reason unless the login works and ``db sync`` was run.

    After a boot MariaDB may start later than we: as oslo.db does, this waits for one that is not there.
    """
    end = time.monotonic() + patience
    while True:
        try:
            with opened(url) as store:
                return store.check(database)
        except ConfigError:
            raise
        except Exception as error:
            if error.args[:1] not in UNREACHABLE or time.monotonic() >= end:
                raise ConfigError("database %s: %s" % (database, error)) from None
        time.sleep(2)


def now():
    return datetime.datetime.utcnow().strftime(LAYOUT)


def age(stamp):
    """Seconds since a time of :func:`now`."""
    heard = datetime.datetime.strptime(stamp, LAYOUT)
    return (datetime.datetime.utcnow() - heard).total_seconds()


def url_of(config, database):
    """The URL of a database by its own service's option."""
    option = {
        "nova_api": ("api_database", "connection"),
        "placement": ("placement_database", "connection"),
    }.get(database, ("database", "connection"))
    return config.need(*option)


def filled(template, url):
    """A cell's URL: nova fills ``{scheme}``, ``{username}`` and so on from its own option.

    Source: nova's administration guide, "Cells (v2)", "URL templates".
    """
    parts = urlsplit(url)
    return template.format(
        scheme=parts.scheme,
        username=parts.username or "",
        password=parts.password or "",
        hostname=parts.hostname or "",
        port=parts.port or "",
        path=parts.path.lstrip("/"),
        query=parts.query,
        fragment=parts.fragment,
    )


def cells(config):
    """nova's cells, by what its API database says: ``{name: (uuid, URL of the database, URL of the queue)}``.

    In releases without cells there is one, the service's own.
    """
    own = url_of(config, "nova")
    queue = config.get("DEFAULT", "transport_url")
    if not release.has("nova_cells"):
        return {"nova": (None, own, queue)}
    with opened(url_of(config, "nova_api")) as store:
        rows = store("SELECT name, uuid, database_connection, transport_url FROM cell_mappings")
    return {
        name: (uuid, filled(database, own), filled(transport, queue))
        for name, uuid, database, transport in rows
    }
