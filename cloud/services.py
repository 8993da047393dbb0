"""The OpenStack services of a cloud, as data: catalog entry, port, databases, processes.

Sources: the installation guides of each service (endpoints, ports), Debian's packages (users).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cloud.releases import Release

# Every INI file that a task merges options into, besides those whose place depends on the platform.
CONFIG_FILES = frozenset(
    {
        "/etc/keystone/keystone.conf",
        "/etc/glance/glance-api.conf",
        "/etc/glance/glance-registry.conf",
        "/etc/placement/placement.conf",
        "/etc/nova/nova.conf",
        "/etc/nova/nova-compute.conf",
        "/etc/neutron/neutron.conf",
        "/etc/neutron/plugins/ml2/ml2_conf.ini",
        "/etc/neutron/plugins/ml2/openvswitch_agent.ini",
        "/etc/neutron/plugins/ml2/linuxbridge_agent.ini",
        "/etc/neutron/dhcp_agent.ini",
        "/etc/neutron/l3_agent.ini",
        "/etc/neutron/metadata_agent.ini",
        "/etc/neutron/lbaas_agent.ini",
        "/etc/neutron/neutron_lbaas.conf",
        "/etc/cinder/cinder.conf",
    }
)


@dataclass(frozen=True)
class Schema:
    """A database whose tables alembic keeps, or sqlalchemy-migrate.

    Attributes:
        database: its name.
        versions: the directory trees of its migrations, below Python's package directory: folders of
            alembic's, or whole repositories of sqlalchemy-migrate, with their ``migrate.cfg``.
        left_out: revisions in them that the service's ``db sync`` does not go to.
    """

    database: str
    versions: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A catalog entry: what clients look a service up by, and the path of its endpoints."""

    name: str
    type: str
    path: str


@dataclass(frozen=True)
class ServiceSpec:
    """One OpenStack service.

    Attributes:
        name: also the name of its system user, its database user and its user in keystone.
        catalog_name, catalog_type, description: its catalog entry.
        port, path: its API's.
        schemas: its databases.
        extra_databases: databases without a schema check of their own.
        status_command: the command whose ``upgrade check`` judges the installation; empty: there is none.
        least_workers: processes of the API that it needs, however few the others get.
        older_entries: catalog entries of older versions of the API, which the release still has.
        needs: a role without whose hosts the cloud has no such service; empty: every cloud has it.
    """

    name: str
    catalog_type: str
    description: str
    port: int
    path: str = ""
    catalog_name: str = ""
    schemas: tuple[Schema, ...] = ()
    status_command: str = ""
    roles: tuple[str, ...] = field(default=("controller",))
    least_workers: int = 1
    older_entries: tuple[Entry, ...] = ()
    needs: str = ""

    @property
    def entries(self) -> list[Entry]:
        """Its catalog entries, the oldest version of its API first."""
        return [*self.older_entries, Entry(self.catalog_name or self.name, self.catalog_type, self.path)]

    @property
    def databases(self) -> list[str]:
        return [schema.database for schema in self.schemas]


SERVICES: dict[str, ServiceSpec] = {
    spec.name: spec
    for spec in (
        ServiceSpec(
            name="keystone",
            catalog_type="identity",
            description="OpenStack Identity",
            port=5000,
            path="/v3",
            schemas=(Schema("keystone", ("keystone/common/sql/migrations/versions",)),),
            status_command="keystone-status",
        ),
        ServiceSpec(
            name="glance",
            catalog_type="image",
            description="OpenStack Image",
            port=9292,
            schemas=(Schema("glance", ("glance/db/sqlalchemy/alembic_migrations/versions",)),),
            status_command="glance-status",
        ),
        ServiceSpec(
            name="placement",
            catalog_type="placement",
            description="OpenStack Placement",
            port=8778,
            schemas=(Schema("placement", ("placement/db/sqlalchemy/alembic/versions",)),),
            status_command="placement-status",
        ),
        ServiceSpec(
            name="nova",
            catalog_type="compute",
            description="OpenStack Compute",
            port=8774,
            path="/v2.1",
            schemas=(
                Schema("nova_api", ("nova/db/api/migrations/versions",)),
                Schema("nova_cell0", ("nova/db/main/migrations/versions",)),
                Schema("nova", ("nova/db/main/migrations/versions",)),
            ),
            status_command="nova-status",
        ),
        ServiceSpec(
            name="neutron",
            catalog_type="network",
            description="OpenStack Networking",
            port=9696,
            schemas=(Schema("neutron", ("neutron/db/migration/alembic_migrations/versions",)),),
            status_command="neutron-status",
        ),
        ServiceSpec(
            name="cinder",
            catalog_name="cinderv3",
            catalog_type="volumev3",
            description="OpenStack Block Storage",
            port=8776,
            path="/v3/%(project_id)s",
            schemas=(Schema("cinder", ("cinder/db/migrations/versions",)),),
            status_command="cinder-status",
            # An attach keeps its process until the storage host has answered; the others must not wait.
            least_workers=3,
            needs="storage",
        ),
    )
}


# The feature since which `SERVICE-status` exists, where that is not "status_commands".
STATUS_FEATURE = {"nova": "nova_status"}

# Feature -> database -> where its migrations are in releases that lack the feature.
OLDER_SCHEMAS = {
    "keystone_alembic": {"keystone": "keystone/common/sql/migrate_repo"},
    "glance_alembic": {"glance": "glance/db/sqlalchemy/migrate_repo"},
    "nova_alembic": {
        "nova_api": "nova/db/sqlalchemy/api_migrations/migrate_repo",
        "nova_cell0": "nova/db/sqlalchemy/migrate_repo",
        "nova": "nova/db/sqlalchemy/migrate_repo",
    },
    "cinder_alembic": {"cinder": "cinder/db/sqlalchemy/migrate_repo"},
}


def _schema_in(release: Release, schema: Schema) -> Schema:
    """A database as a release keeps it. Sources: the projects' repositories, at each release's tag."""
    for feature, trees in OLDER_SCHEMAS.items():
        if schema.database in trees and not release.has(feature):
            schema = replace(schema, versions=(trees[schema.database],))
    if schema.database == "keystone" and release.has("keystone_rolling_upgrade"):
        parts = ("expand_repo", "data_migration_repo", "contract_repo")
        more = tuple(f"keystone/common/sql/{part}" for part in parts)
        schema = replace(schema, versions=(*schema.versions, *more))
    if schema.database == "glance" and release.has("glance_two_ways"):
        schema = replace(schema, left_out=("ocata_expand01", "ocata_contract01"))
    return schema


def services_in(release: Release) -> dict[str, ServiceSpec]:
    """The services as a release has them: API versions, catalog entries, databases, status commands."""
    found = {
        name: replace(
            spec,
            schemas=tuple(_schema_in(release, schema) for schema in spec.schemas),
            status_command=spec.status_command
            if release.has(STATUS_FEATURE.get(name, "status_commands"))
            else "",
        )
        for name, spec in SERVICES.items()
    }
    keystone, nova, cinder = found["keystone"], found["nova"], found["cinder"]
    if release.has("identity_v2"):
        found["keystone"] = replace(keystone, path="/v2.0")
    if not release.has("placement"):
        del found["placement"]
    elif not release.has("placement_service"):
        # A part of nova, with its tables in nova's API database.
        found["placement"] = replace(found["placement"], schemas=())
    if release.has("nova_compute_v2"):
        found["nova"] = nova = replace(nova, path="/v2/%(tenant_id)s")
    feature_of = {"nova_api": "nova_api_database", "nova_cell0": "nova_cells"}
    found["nova"] = replace(
        nova,
        schemas=tuple(
            schema
            for schema in nova.schemas
            if schema.database not in feature_of or release.has(feature_of[schema.database])
        ),
    )
    v1 = Entry("cinder", "volume", "/v1/%(tenant_id)s")
    v2 = Entry("cinderv2", "volumev2", "/v2/%(project_id)s")
    if not release.has("volume_v3"):
        found["cinder"] = replace(
            cinder,
            catalog_name=v2.name,
            catalog_type=v2.type,
            path="/v2/%(tenant_id)s",
            older_entries=(v1,) if release.has("volume_v1") else (),
        )
    elif release.has("volume_v2"):
        found["cinder"] = replace(cinder, older_entries=(v2,))
    return found
