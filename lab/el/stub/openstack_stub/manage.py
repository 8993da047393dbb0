"""The commands that an operator runs: ``*-manage``, ``neutron-db-manage``, and ``*-status upgrade check``."""

import base64
import grp
import os
import pwd
import secrets
import shutil
import sys
import uuid

from . import keystone, messaging, release, store
from .config import Config, ConfigError, defaults, parser
from .login import Login, sections

FILES = {
    "keystone": ["keystone.conf"],
    "glance": ["glance-api.conf"],
    "placement": ["placement.conf"],
    "nova": ["nova.conf"],
    "neutron": ["neutron.conf"],
    "cinder": ["cinder.conf"],
}
DATABASES = {service: ("nova_api", "nova") if service == "nova" else (service,) for service in FILES}
CELL0 = "00000000-0000-0000-0000-000000000000"


def configured(service, options=None):
    return Config((options and options.files) or defaults(service, FILES[service]))


def sync(config, database, url=None):
    with store.opened(url or store.url_of(config, database)) as made:
        made.create(database, release.heads(database))
        if database == "keystone" and release.has("admin_token"):
            # Liberty's migrations make it; later the bootstrap does.
            keystone.Directory(made).default_domain()


def db_sync(service):
    def command(config, options):
        sync(config, service)

    return command


# keystone


def _ids(options):
    if not options.keystone_user or not options.keystone_group:
        return -1, -1
    return pwd.getpwnam(options.keystone_user).pw_uid, grp.getgrnam(options.keystone_group).gr_gid


def _write_key(directory, name, owner):
    path = os.path.join(directory, name)
    with open(os.open(path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)))
    os.chown(path + ".tmp", *owner)
    os.rename(path + ".tmp", path)


def _repository(config, kind):
    section = {"fernet": "fernet_tokens", "credential": "credential"}[kind]
    return config.get(section, "key_repository") or "/etc/keystone/%s-keys" % kind


def key_setup(kind):
    """The keys 0 (staged) and 1 (primary), where there is none yet."""

    def command(config, options):
        directory, owner = _repository(config, kind), _ids(options)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        os.chown(directory, *owner)
        if not any(name.isdigit() for name in os.listdir(directory)):
            _write_key(directory, "0", owner)
            _rotate(directory, owner)

    return command


def key_rotate(kind):
    return lambda config, options: _rotate(_repository(config, kind), _ids(options))


def _rotate(directory, owner):
    """Make the staged key the primary one, and a new staged key."""
    highest = max(int(name) for name in os.listdir(directory) if name.isdigit())
    os.rename(os.path.join(directory, "0"), os.path.join(directory, str(highest + 1)))
    _write_key(directory, "0", owner)


def bootstrap(config, options):
    password = options.bootstrap_password or os.environ.get("OS_BOOTSTRAP_PASSWORD")
    if not password:
        raise ConfigError("Either --bootstrap-password argument or OS_BOOTSTRAP_PASSWORD must be set.")
    with store.opened(store.url_of(config, "keystone")) as made:
        keystone.Directory(made).bootstrap(
            options.bootstrap_username, password, options.bootstrap_project_name, options.bootstrap_role_name
        )


def db_version(config, options):
    table = store.VERSIONS[release.heads("keystone")[0]][0]
    with store.opened(store.url_of(config, "keystone")) as made:
        for row in made("SELECT * FROM %s" % table):
            print(row[-1])


# nova's cells


def _add_cell(config, identifier, name, database, transport):
    with store.opened(store.url_of(config, "nova_api")) as made:
        taken = made("SELECT name FROM cell_mappings WHERE uuid = %s OR name = %s", identifier, name)
        if taken:
            return False
        made("INSERT INTO cell_mappings VALUES (%s, %s, %s, %s)", identifier, name, transport, database)
        return True


def map_cell0(config, options):
    database = options.database_connection or config.need("database", "connection") + "_cell0"
    print("" if _add_cell(config, CELL0, "cell0", database, "none:///") else "Cell0 is already setup")


def create_cell(config, options):
    database = options.database_connection or config.need("database", "connection")
    transport = options.transport_url or config.need("DEFAULT", "transport_url")
    if not _add_cell(config, str(uuid.uuid4()), options.name, database, transport):
        print("Cell with the specified name already exists.")
        return 2
    return 0


def list_cells(config, options):
    with store.opened(store.url_of(config, "nova_api")) as made:
        for row in made("SELECT name, uuid FROM cell_mappings"):
            print(*row)


def discover_hosts(config, options):
    """Map every compute host that has reported itself."""
    for name, (identifier, url, _) in store.cells(config).items():
        if name == "cell0":
            continue
        with store.opened(url) as cell:
            hosts = [host for (host,) in cell("SELECT host FROM compute_nodes WHERE deleted = 0")]
        with store.opened(store.url_of(config, "nova_api")) as made:
            for host in hosts:
                made("REPLACE INTO host_mappings VALUES (%s, %s)", host, identifier)
                print("Creating host mapping for compute host '%s'" % host)


def nova_sync(config, options):
    """The cell's tables and, where there are cells, cell0's."""
    if release.has("nova_cells"):
        found = store.cells(config)
        if "cell0" not in found:
            print("ERROR: could not access cell0 - has it been created?", file=sys.stderr)
            return 1
        sync(config, "nova_cell0", found["cell0"][1])
    sync(config, "nova")
    return 0


# Command -> what it does; a word of it that is an option of the program is read by the parser.
COMMANDS = {
    "keystone-manage": {
        "db_sync": db_sync("keystone"),
        "db_version": db_version,
        "fernet_setup": key_setup("fernet"),
        "fernet_rotate": key_rotate("fernet"),
        "credential_setup": key_setup("credential"),
        "credential_rotate": key_rotate("credential"),
        "bootstrap": bootstrap,
    },
    "glance-manage": {"db_sync": db_sync("glance"), "db sync": db_sync("glance")},
    "placement-manage": {"db sync": db_sync("placement")},
    "nova-manage": {
        "api_db sync": lambda config, options: sync(config, "nova_api"),
        "db sync": nova_sync,
        "cell_v2 map_cell0": map_cell0,
        "cell_v2 create_cell": create_cell,
        "cell_v2 list_cells": list_cells,
        "cell_v2 discover_hosts": discover_hosts,
    },
    "neutron-db-manage": {
        "upgrade head": db_sync("neutron"),
        "upgrade heads": db_sync("neutron"),
    },
    "cinder-manage": {"db sync": db_sync("cinder")},
}
# What needs a feature of the release.
FEATURES = {
    "bootstrap": "bootstrap",
    "api_db sync": "nova_api_database",
    **{name: "nova_cells" for name in COMMANDS["nova-manage"] if name.startswith("cell_v2")},
}


def run(program, arguments):
    """Run a command; its status."""
    made = parser(program)
    made.add_argument("words", nargs="*")
    for option in ("--database_connection", "--transport-url", "--name", "--bootstrap-password"):
        made.add_argument(option)
    made.add_argument("--keystone-user")
    made.add_argument("--keystone-group")
    for what in ("username", "project-name", "role-name"):
        made.add_argument("--bootstrap-" + what, default="admin")
    options = made.parse_intermixed_args(arguments)
    words = " ".join(options.words)
    known = {
        name: command
        for name, command in COMMANDS[program].items()
        if name not in FEATURES or release.has(FEATURES[name])
    }
    if words not in known:
        made.error("invalid choice: %r (choose from %s)" % (words, ", ".join(known)))
    return known[words](configured(program.partition("-")[0], options), options) or 0


# *-status upgrade check


def _checks(service, config):
    """(what was checked, why it failed or nothing)"""

    def attempt(function, *arguments):
        try:
            return function(*arguments)
        except (SystemExit, Exception) as error:
            return getattr(error, "reason", None) or str(error)

    for database in filter(release.has_database, DATABASES[service]):
        url = attempt(store.url_of, config, database)
        yield "Database %s" % database, attempt(store.ready, url, database, 0)
    for section in sections(config):
        yield "Login of [%s]" % section, attempt(lambda name=section: Login(config, name).token() and None)
    if service == "nova" and release.has("nova_cells"):
        found = attempt(store.cells, config)
        if not isinstance(found, str):
            found = None if "cell0" in found and len(found) > 1 else "cell0 or a cell is not mapped"
        yield "Cells v2", found
    if service not in ("keystone", "glance", "placement"):
        yield "Message queue", attempt(lambda: messaging.connect(messaging.servers(config)).close())


def status(program, arguments):
    """What oslo.upgradecheck prints; 0, or 2 when something failed."""
    if arguments != ["upgrade", "check"]:
        print("usage: %s upgrade check" % program, file=sys.stderr)
        return 2
    service = program.partition("-")[0]
    width = min(shutil.get_terminal_size().columns, 100)
    print("+%s+\n| Upgrade Check Results" % ("-" * width))
    failed = False
    for name, reason in _checks(service, configured(service)):
        failed = failed or bool(reason)
        print("+%s+\n| Check: %s\n| Result: %s" % ("-" * width, name, "Failure" if reason else "Success"))
        print("| Details: %s" % (" ".join(reason.split()) if reason else "None"))
    print("+%s+" % ("-" * width))
    return 2 if failed else 0
