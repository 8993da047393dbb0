"""The stub of keystone, asked by the deploy's own programs with the real openstacksdk."""

import json
import urllib.error
import urllib.request

import pytest
import stub_hosts

pytest.importorskip("openstack", reason="needs openstacksdk")

from cloud.identity import Project, Service, User, describe, plan
from cloud.model import INTERFACES
from lab.el.stub.openstack_stub import keystone, release
from operations.remote import keystone_login, sdk_identity

pytestmark = pytest.mark.filterwarnings("ignore")

ADMIN = {
    "username": "admin",
    "password": stub_hosts.PASSWORDS["admin"],
    "project_name": "admin",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
    "region_name": "RegionOne",
}
WANTED = {
    "projects": [Project("admin"), Project("service", "Services"), Project("demo")],
    "roles": ["admin", "member"],
    "users": [User("glance", stub_hosts.PASSWORDS["glance"], {"service": ["admin"]})],
    "services": [
        Service("glance", "image", "OpenStack Image", "RegionOne", dict.fromkeys(INTERFACES, "http://a:9292"))
    ],
}


@pytest.fixture
def host(tmp_path, monkeypatch):
    return stub_hosts.Host(tmp_path / "root", "caracal", monkeypatch)


@pytest.fixture
def keys(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    return folder


@pytest.fixture
def url(host, keys):
    with stub_hosts.served(stub_hosts.keystone_of(host, keys)) as url:
        yield url + "/v3"


@pytest.fixture
def admin(host, url):
    """keystone after its bootstrap: the administrator's credentials."""
    with host.opened("keystone") as opened:
        keystone.Directory(opened).bootstrap("admin", ADMIN["password"], "admin", "admin")
    return {**ADMIN, "auth_url": url}


def ask(admin, actions=(), /, **passwords):
    actions = [{**action, "what": describe(action)} for action in actions]
    return sdk_identity.main({"admin": admin, "timeout": 0, "actions": actions, "passwords": passwords})


def get(url, **headers):
    """(status, JSON) of a GET; a POST with a body."""
    body = headers.pop("body", None)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    call = urllib.request.Request(url, body and json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(call) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def token_of(admin, **changed):
    """A token from keystone, by hand."""
    user = {"name": admin["username"], "password": admin["password"], "domain": {"name": "default"}}
    identity = {"methods": ["password"], "password": {"user": {**user, **changed}}}
    scope = {"project": {"name": admin["project_name"], "domain": {"id": "default"}}}
    body = json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()
    with urllib.request.urlopen(urllib.request.Request(admin["auth_url"] + "/auth/tokens", body)) as answer:
        return answer.headers["X-Subject-Token"]


def test_before_the_bootstrap_nobody_logs_in(url):
    assert keystone_login.main({**ADMIN, "auth_url": url, "timeout": 0}) == {"login": False}


def test_after_it_the_administrator_does(admin):
    assert keystone_login.main({**admin, "timeout": 0}) == {"login": True}
    assert keystone_login.main({**admin, "password": "another", "timeout": 0}) == {"login": False}
    assert keystone_login.main({**admin, "project_name": "another", "timeout": 0}) == {"login": False}


def test_all_that_the_deploy_registers(admin):
    actions = plan(ask(admin), **WANTED)
    assert plan(ask(admin, actions, glance=stub_hosts.PASSWORDS["glance"]), **WANTED) == []
    assert ask(admin, glance="another")["passwords"] == {"glance": False}


def test_a_changed_registration_is_brought_back(host, admin):
    ask(admin, plan(ask(admin), **WANTED))
    with host.opened("keystone") as opened:
        directory = keystone.Directory(opened)
        for kind, changed in (
            ("user", {"enabled": False}),
            ("project", {"description": "Old"}),
            ("endpoint", {"url": "http://old"}),
        ):
            name = {"user": {"name": "glance"}, "project": {"name": "service"}}.get(
                kind, {"interface": "admin"}
            )
            directory.put(kind, {**directory.all(kind, **name)[0], **changed})
    actions = plan(ask(admin), **WANTED)
    assert [action["do"] for action in actions] == ["update project", "update user", "update endpoint"]
    assert plan(ask(admin, actions), **WANTED) == []


def test_before_there_is_an_administrator_the_files_token_makes_one(host, keys):
    with host.opened("keystone") as opened:
        opened.create("keystone", release.heads("keystone"))
        keystone.Directory(opened).default_domain()
    with stub_hosts.served(stub_hosts.keystone_of(host, keys, admin_token="0f1e2d", v2=True)) as url:
        credentials = {"endpoint": url + "/v3", "token": "0f1e2d", "region_name": "RegionOne"}
        wanted = {**WANTED, "users": [User("admin", ADMIN["password"], {"admin": ["admin"]})]}
        actions = plan(ask(credentials), **wanted)
        works = ask(credentials, actions, admin=ADMIN["password"])
        assert plan(works, **wanted) == []
        assert ask({**ADMIN, "auth_url": url + "/v3"})["users"] == works["users"]
        with pytest.raises(SystemExit) as end:
            ask({**credentials, "token": "0f1e2c"})
        assert "requires authentication" in end.value.code
        assert get(url + "/v2.0")[1]["version"]["id"] == "v2.0"


def test_without_keys_there_are_no_tokens(admin, keys):
    (keys / "1").unlink()
    with pytest.raises(urllib.error.HTTPError, match="500"):
        token_of(admin)


def test_a_token_of_other_keys_is_none(admin, keys):
    token = token_of(admin)
    assert get(admin["auth_url"] + "/users", X_Auth_Token=token)[0] == 200
    (keys / "1").write_bytes(b"another")
    assert get(admin["auth_url"] + "/users", X_Auth_Token=token)[0] == 401


def test_a_rotation_keeps_the_tokens(admin, keys):
    token = token_of(admin)
    (keys / "2").write_bytes(b"second")
    assert get(admin["auth_url"] + "/users", X_Auth_Token=token)[0] == 200


def test_who_may_check_tokens(admin):
    ask(admin, plan(ask(admin), **{**WANTED, "users": [User("glance", "x-glance", {"service": ["member"]})]}))
    glance = {**admin, "username": "glance", "password": "x-glance", "project_name": "service"}
    theirs, own = token_of(admin), token_of(glance)
    check = admin["auth_url"] + "/auth/tokens"
    assert get(check, X_Auth_Token=theirs, X_Subject_Token=own)[1]["token"]["roles"][0]["name"] == "member"
    assert get(check, X_Auth_Token=own, X_Subject_Token=own)[0] == 200
    assert get(check, X_Auth_Token=own, X_Subject_Token=theirs)[0] == 403
    assert get(check, X_Auth_Token=theirs, X_Subject_Token="gAAAAAe30=.x")[0] == 404
    assert get(admin["auth_url"] + "/users", X_Auth_Token=own)[0] == 403


def test_names_are_there_once(admin):
    headers = {"X_Auth_Token": token_of(admin), "Content_Type": "application/json"}
    status, answer = get(admin["auth_url"] + "/users", body={"user": {"name": "ADMIN"}}, **headers)
    assert (status, "Duplicate" in answer["error"]["message"]) == (409, True)
    endpoint = {"service_id": "none", "interface": "public", "url": "http://a"}
    assert get(admin["auth_url"] + "/endpoints", body={"endpoint": endpoint}, **headers)[0] == 404


def test_passwords_are_not_kept_and_not_shown(host, admin):
    assert ADMIN["password"].encode() not in (host.folder / "keystone").read_bytes()
    _, answer = get(admin["auth_url"] + "/users", X_Auth_Token=token_of(admin))
    assert set(answer["users"][0]) == {"id", "name", "description", "enabled", "domain_id"}
