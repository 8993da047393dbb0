"""The program that runs on the first controller, with the real openstacksdk, against a small keystone."""

import subprocess
import sys

import identity_server
import pytest

pytest.importorskip("openstack", reason="needs openstacksdk")

from cloud.identity import Project, Service, User, describe, plan
from cloud.model import INTERFACES
from facts.program import Program, text_of
from operations.remote import sdk_identity

# openstacksdk warns of itself.
pytestmark = pytest.mark.filterwarnings("ignore")

PASSWORD = "f2a9c1d07b3e"
WANTED = {
    "projects": [Project("admin"), Project("service", "Services"), Project("demo")],
    "roles": ["admin", "service"],
    "users": [User("glance", PASSWORD, {"service": ["admin", "service"]})],
    "services": [
        Service("glance", "image", "OpenStack Image", "RegionOne", dict.fromkeys(INTERFACES, "http://a:9292"))
    ],
}


@pytest.fixture
def keystone():
    with identity_server.running() as server:
        yield server


def request_for(keystone, actions=(), passwords=None, timeout=0, **admin):
    return {
        "admin": {**keystone.admin, **admin},
        "timeout": timeout,
        "actions": [{**action, "what": describe(action)} for action in actions],
        "passwords": {"glance": PASSWORD} if passwords is None else passwords,
    }


def ask(keystone, *arguments, **keywords):
    return sdk_identity.main(request_for(keystone, *arguments, **keywords))


def reason_of(keystone, *arguments, **keywords):
    with pytest.raises(SystemExit) as end:
        ask(keystone, *arguments, **keywords)
    return end.value.code


@pytest.fixture
def complete(keystone):
    """The state after all that is wanted was made."""
    return ask(keystone, plan(ask(keystone), **WANTED))


def test_an_empty_keystone_is_read_without_its_catalog(keystone):
    assert ask(keystone) == {
        "projects": {"admin": {"id": "projects-0", "is_enabled": True, "description": ""}},
        "roles": {},
        "users": {"admin": {"id": "users-0", "is_enabled": True}},
        "passwords": {},
        "assignments": [],
        "regions": [],
        "services": [],
        "endpoints": [],
    }


def test_a_read_changes_nothing(keystone):
    ask(keystone)
    assert {(method, path) for method, path in keystone.calls if method != "GET"} == {
        ("POST", "/auth/tokens")
    }


def test_the_answer_of_a_write_is_the_wanted_state(complete):
    assert plan(complete, **WANTED) == []
    assert complete["passwords"] == {"glance": True}
    assert complete["assignments"] == [["admin", "glance", "service"], ["service", "glance", "service"]]
    assert [endpoint["interface"] for endpoint in complete["endpoints"]] == list(INTERFACES)


def test_passwords_are_tried_in_their_domain(keystone, complete):
    assert ask(keystone, passwords={"glance": "another", "nobody": "x"})["passwords"] == {"glance": False}


def test_updates(keystone, complete):
    keystone.held["users"]["users-1"].update(enabled=False, password="another")
    keystone.held["projects"]["projects-1"].update(enabled=False, description="Old")
    keystone.held["services"]["services-0"].update(enabled=False)
    keystone.held["endpoints"]["endpoints-2"].update(enabled=False, url="http://old:9292")
    actions = plan(ask(keystone), **WANTED)
    assert [action["do"] for action in actions] == [
        "update project",
        "update user",
        "update service",
        "update endpoint",
    ]
    assert plan(ask(keystone, actions), **WANTED) == []
    assert keystone.held["users"]["users-1"]["password"] == PASSWORD


def test_other_domains_and_inherited_assignments_are_not_ours(keystone, complete):
    keystone.add("users", name="demo", domain_id="theirs", password="")
    inherited = {"project": {"id": "projects-2"}, "OS-INHERIT:inherited_to": "projects"}
    keystone.assignments += [
        {"scope": inherited, "user": {"id": "users-1"}, "role": {"id": "roles-0"}},
        {"scope": {"domain": {"id": "default"}}, "user": {"id": "users-1"}, "role": {"id": "roles-0"}},
        {"scope": {"project": {"id": "projects-2"}}, "group": {"id": "g"}, "role": {"id": "roles-0"}},
    ]
    assert ask(keystone) == complete


def test_it_waits_while_keystone_starts(keystone, monkeypatch):
    monkeypatch.setattr(sdk_identity.time, "sleep", lambda seconds: None)
    keystone.starting = 3
    assert ask(keystone, timeout=30)["users"]


def test_it_does_not_wait_for_ever(keystone):
    keystone.starting = 1
    assert reason_of(keystone).startswith(f"keystone at {keystone.url}: no answer within 0 s: ")


def test_nothing_listens(keystone):
    nowhere = "http://127.0.0.1:1/v3"
    assert reason_of(keystone, auth_url=nowhere).startswith(f"keystone at {nowhere}: no answer within 0 s: ")


def test_a_refused_administrator_is_told_at_once(keystone):
    reason = reason_of(keystone, timeout=60, password="0123456789ab")
    assert reason.startswith(f"keystone at {keystone.url}: the user admin can't log in: ")


def test_a_refused_action_is_named_and_the_password_in_its_reason_hidden(keystone, complete):
    action = {"do": "create user", "name": "glance", "values": {"password": PASSWORD}}
    reason = reason_of(keystone, [action])
    assert "could not create user glance: " in reason
    assert "(hidden)" in reason
    assert PASSWORD not in reason


def test_a_refused_assignment_is_an_error(keystone, complete):
    keystone.held["roles"].clear()
    values = {"role": "admin", "project": "demo"}
    action = {"do": "create assignment", "name": "glance", "values": values}
    assert "could not give user glance the role admin on project demo: " in reason_of(keystone, [action])


def test_as_it_is_sent(keystone):
    """The whole way: text on standard input, the answer on standard output."""
    ran = subprocess.run(
        [sys.executable, "-", "sdk_identity"],
        input=text_of("sdk_identity", request_for(keystone)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Program().process(ran.stdout.splitlines())["users"] == {
        "admin": {"id": "users-0", "is_enabled": True}
    }
