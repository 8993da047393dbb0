"""What must be done in keystone: from what is there, and what is wanted."""

import copy

import clouds
import pytest

from cloud import identity
from cloud.identity import Project, Service, User, describe, plan
from cloud.model import INTERFACES

PASSWORD = "f2a9c1d07b3e"
EMPTY = {
    "projects": {},
    "roles": {},
    "users": {},
    "passwords": {},
    "assignments": [],
    "regions": [],
    "services": [],
    "endpoints": [],
}
WANTED = {
    "projects": [Project("admin"), Project("service", "Services")],
    "roles": ["admin", "service"],
    "users": [User("glance", PASSWORD, {"service": ["admin", "service"]})],
    "services": [
        Service("glance", "image", "OpenStack Image", "RegionOne", {"public": "http://a:9292", "internal": "http://b:9292"})
    ],
}  # fmt: skip
COMPLETE = {
    "projects": {
        "admin": {"id": "p1", "is_enabled": True, "description": "Bootstrap project"},
        "service": {"id": "p2", "is_enabled": True, "description": "Services"},
    },
    "roles": {"admin": "r1", "service": "r2"},
    "users": {"glance": {"id": "u1", "is_enabled": True}},
    "passwords": {"glance": True},
    "assignments": [["admin", "glance", "service"], ["service", "glance", "service"]],
    "regions": ["RegionOne"],
    "services": [
        {"id": "s1", "name": "glance", "type": "image", "description": "OpenStack Image", "is_enabled": True}
    ],
    "endpoints": [
        {"id": f"e{number}", "service_id": "s1", "interface": interface, "region_id": "RegionOne",
         "url": url, "is_enabled": True}
        for number, (interface, url) in enumerate(
            [("public", "http://a:9292"), ("internal", "http://b:9292")]
        )
    ],
}  # fmt: skip


@pytest.fixture
def state():
    return copy.deepcopy(COMPLETE)


def words(state, **changed):
    return [describe(action) for action in plan(state, **{**WANTED, **changed})]


def test_everything_is_made_in_the_order_of_its_references():
    assert words(EMPTY) == [
        "create region RegionOne",
        "create role admin",
        "create role service",
        "create project admin",
        "create project service",
        "create user glance",
        "give user glance the role admin on project service",
        "give user glance the role service on project service",
        "create service glance (image)",
        "create endpoint image/public http://a:9292",
        "create endpoint image/internal http://b:9292",
    ]


def test_a_complete_state_needs_nothing(state):
    assert words(state) == []


def test_nothing_wanted_needs_nothing():
    assert plan(EMPTY) == []


def test_a_wrong_password_is_set_and_never_shown(state):
    state["passwords"]["glance"] = False
    actions = plan(state, **WANTED)
    assert actions == [{"do": "update user", "name": "glance", "id": "u1", "values": {"password": PASSWORD}}]
    assert describe(actions[0]) == "set the password of user glance"


def test_a_disabled_user_is_enabled_with_the_password_that_could_not_be_tried(state):
    state["users"]["glance"]["is_enabled"] = False
    state["passwords"]["glance"] = False
    assert words(state) == ["enable user glance, set the password of user glance"]


@pytest.mark.parametrize("secret", [repr(WANTED["users"]), *words(EMPTY)])
def test_no_password_in_what_is_printed(secret):
    assert PASSWORD not in secret


def test_other_roles_and_projects_are_kept(state):
    state["projects"]["theirs"] = {"id": "p9", "is_enabled": False, "description": ""}
    state["assignments"].append(["reader", "glance", "theirs"])
    assert words(state) == []


def test_a_missing_role_is_given(state):
    del state["assignments"][0]
    assert words(state) == ["give user glance the role admin on project service"]


def test_a_role_that_nobody_makes_is_a_mistake(state):
    with pytest.raises(
        ValueError, match="user glance is to have the role owner on service: no such role: owner"
    ):
        words(state, users=[User("glance", PASSWORD, {"service": ["owner"]})])


def test_a_project_that_nobody_makes_is_a_mistake(state):
    with pytest.raises(ValueError, match="no such project: nowhere"):
        words(state, users=[User("glance", PASSWORD, {"nowhere": ["admin"]})])


def test_a_project_is_enabled_and_described(state):
    state["projects"]["admin"]["is_enabled"] = False
    state["projects"]["service"]["description"] = "Old"
    assert words(state) == ["enable project admin", "describe project service as 'Services'"]


def test_a_changed_url_is_changed_in_place(state):
    state["endpoints"][1]["url"] = "http://old:9292"
    assert plan(state, **WANTED) == [
        {"do": "update endpoint", "name": "glance", "id": "e1", "type": "image", "interface": "internal",
         "values": {"url": "http://b:9292"}}
    ]  # fmt: skip
    assert words(state) == ["set the URL of endpoint image/internal to http://b:9292"]


def test_a_disabled_catalog_entry_is_enabled(state):
    state["services"][0]["is_enabled"] = state["endpoints"][0]["is_enabled"] = False
    assert words(state) == ["enable service glance (image)", "enable endpoint image/public"]


def test_an_endpoint_in_another_region_or_of_another_service_is_not_ours(state):
    state["endpoints"][0]["region_id"] = "RegionTwo"
    state["endpoints"][1]["service_id"] = "s2"
    assert words(state) == [
        "create endpoint image/public http://a:9292",
        "create endpoint image/internal http://b:9292",
    ]


def test_duplicates_are_named_with_their_ids_and_a_remedy(state):
    state["endpoints"].append({**state["endpoints"][0], "id": "e7", "url": "http://c:9292"})
    with pytest.raises(ValueError) as problem:
        plan(state, **WANTED)
    assert str(problem.value) == (
        "keystone has 2 public endpoints of glance in region RegionOne: http://a:9292 (ID e0), "
        "http://c:9292 (ID e7); keep one, and remove the others with: openstack endpoint delete ID"
    )


def test_two_services_of_a_type_are_named(state):
    state["services"].append({**state["services"][0], "id": "s2"})
    with pytest.raises(ValueError, match=r"2 services of type image: glance \(ID s1\), glance \(ID s2\); "):
        plan(state, **WANTED)


def test_a_service_of_our_type_with_another_name_is_neither_taken_nor_doubled(state):
    state["services"][0]["name"] = "images"
    with pytest.raises(ValueError, match="openstack service set --name glance s1"):
        plan(state, **WANTED)


def test_all_problems_are_told_at_once(state):
    state["services"][0]["name"] = "images"
    with pytest.raises(ValueError) as problem:
        words(state, users=[User("glance", PASSWORD, {"nowhere": ["owner"]})])
    assert len(str(problem.value).splitlines()) == 2


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path)


def test_a_service_registers_its_user_and_its_catalog_entry(cloud):
    arguments = identity.registration(cloud, "cinder")
    assert arguments["users"] == [
        User("cinder", cloud.service("cinder").password, {"service": ["admin", "service"]})
    ]
    assert arguments["services"] == [
        Service(
            "cinderv3",
            "volumev3",
            "OpenStack Block Storage",
            "RegionOne",
            dict.fromkeys(INTERFACES, "http://192.168.56.11:8776/v3/%(project_id)s"),
        )
    ]


def test_keystone_registers_what_all_others_need(cloud):
    arguments = identity.registration(cloud, "keystone")
    made = {project.name for project in arguments["projects"]}
    for service in cloud.services:
        for user in identity.registration(cloud, service)["users"]:
            assert set(user.roles) <= made
            assert {role for roles in user.roles.values() for role in roles} <= set(arguments["roles"])


def test_one_read_can_check_all_passwords(cloud):
    known = {user.name for user in identity.registration(cloud, "keystone")["known_users"]}
    assert known == {"demo", *cloud.services} - {"keystone"}
