"""The services as each release has them: where their tables' versions are, and which can judge themselves."""

import clouds
import pytest

from cloud.releases import Release
from cloud.services import services_in

# Typed from the projects' repositories at the tags liberty-eol, ocata-eol, train-eol.
KEYSTONE = tuple(
    f"keystone/common/sql/{part}"
    for part in ("migrate_repo", "expand_repo", "data_migration_repo", "contract_repo")
)
NOVA, NOVA_API = "nova/db/sqlalchemy/migrate_repo", "nova/db/sqlalchemy/api_migrations/migrate_repo"
GLANCE = "glance/db/sqlalchemy/alembic_migrations/versions"
NEUTRON = "neutron/db/migration/alembic_migrations/versions"
CINDER = "cinder/db/sqlalchemy/migrate_repo"
TODAY = {
    "keystone": ("keystone/common/sql/migrations/versions",),
    "glance": (GLANCE,),
    "placement": ("placement/db/sqlalchemy/alembic/versions",),
    "nova_api": ("nova/db/api/migrations/versions",),
    "nova_cell0": ("nova/db/main/migrations/versions",),
    "nova": ("nova/db/main/migrations/versions",),
    "neutron": (NEUTRON,),
    "cinder": ("cinder/db/migrations/versions",),
}


@pytest.mark.parametrize(
    ("release", "schemas"),
    [
        (
            "liberty",
            {
                "keystone": KEYSTONE[:1],
                "glance": ("glance/db/sqlalchemy/migrate_repo",),
                "nova": (NOVA,),
                "neutron": (NEUTRON,),
                "cinder": (CINDER,),
            },
        ),
        (
            "ocata",
            {
                "keystone": KEYSTONE,
                "glance": (GLANCE,),
                "nova_api": (NOVA_API,),
                "nova_cell0": (NOVA,),
                "nova": (NOVA,),
                "neutron": (NEUTRON,),
                "cinder": (CINDER,),
            },
        ),
        (
            "train",
            {
                "keystone": KEYSTONE,
                "glance": (GLANCE,),
                "placement": TODAY["placement"],
                "nova_api": (NOVA_API,),
                "nova_cell0": (NOVA,),
                "nova": (NOVA,),
                "neutron": (NEUTRON,),
                "cinder": (CINDER,),
            },
        ),
        *((release, TODAY) for release in ("zed", "caracal", "epoxy")),
    ],
)
def test_where_the_versions_of_the_tables_are(release, schemas):
    services = services_in(Release(release)).values()
    assert {schema.database: schema.versions for spec in services for schema in spec.schemas} == schemas


def test_only_glance_of_ocata_has_two_ways():
    for release in ("liberty", "ocata", "train", "zed", "epoxy"):
        services = services_in(Release(release)).values()
        left_out = {s.database: s.left_out for spec in services for s in spec.schemas if s.left_out}
        two = {"glance": ("ocata_expand01", "ocata_contract01")} if release == "ocata" else {}
        assert left_out == two


@pytest.mark.parametrize(
    ("release", "commands"),
    [
        ("liberty", set()),
        ("ocata", {"nova-status"}),
        *(
            (
                release,
                {
                    f"{name}-status"
                    for name in ("keystone", "glance", "placement", "nova", "neutron", "cinder")
                },
            )
            for release in ("stein", "train", "zed", "epoxy")
        ),
    ],
)
def test_which_services_can_check_themselves(release, commands):
    found = {spec.status_command for spec in services_in(Release(release)).values()}
    assert found - {""} == commands


def test_what_the_host_is_asked(tmp_path):
    cloud = clouds.cloud(tmp_path, platform="el", release="ocata")
    request = cloud.schema_request(cloud.node("controller"), "glance")
    assert request["python"] == "/usr/lib/python2.7/site-packages"
    (schema,) = request["schemas"]
    assert schema["left_out"] == ["ocata_expand01", "ocata_contract01"]
    cloud = clouds.cloud(tmp_path, platform="el", release="caracal")
    request = cloud.schema_request(cloud.node("controller"))
    assert request["python"] == "/usr/lib/python3.9/site-packages"
    assert not any("left_out" in schema for schema in request["schemas"])
