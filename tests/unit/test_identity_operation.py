"""How often keystone is asked in a run, and what a write does; the plans are in test_identity.py."""

import copy
import logging

import clouds
import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState
from pyinfra_testing.util import create_host

from cloud.identity import registration
from facts.reading import Unreadable
from operations import identity


class Keystone:
    """Stands in for the program on the first controller; counts how often it is started."""

    def __init__(self):
        self.reads = self.writes = 0
        self.passwords = {}
        self.refuse = self.forget = False
        self.asked = []
        self.state = {"projects": {}, "roles": {}, "users": {}, "regions": [], "assignments": []}
        self.state |= {"services": [], "endpoints": []}

    def __call__(self, program, admin, timeout, actions, passwords):
        assert program == "sdk_identity"
        self.asked.append((timeout, sorted(passwords)))
        if actions:
            self.writes += 1
        else:
            self.reads += 1
        if self.refuse:
            return Unreadable("keystone at URL: no")
        for action in [] if self.forget else actions:
            self.perform(**action)
        tried = {
            user: self.passwords[user] == text for user, text in passwords.items() if user in self.passwords
        }
        return {**copy.deepcopy(self.state), "passwords": tried}

    def perform(self, do, name, what, values, **more):
        verb, kind = do.split()
        item = {"name": name, "id": name, "is_enabled": True, "description": "", **more, **values}
        if kind == "user":
            self.passwords[name] = values["password"]
        if verb == "update":
            return
        if kind in ("project", "user", "role"):
            self.state[f"{kind}s"][name] = item
        elif kind == "region":
            self.state["regions"].append(name)
        elif kind == "assignment":
            self.state["assignments"].append([values["role"], name, values["project"]])
        else:
            self.state[f"{kind}s"].append({**item, "service_id": name})


@pytest.fixture
def keystone(monkeypatch):
    fake = Keystone()
    monkeypatch.setattr(identity, "ask", fake)
    return fake


def new_run():
    """As a new process begins."""
    identity._known.clear()


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path)


@pytest.fixture
def run():
    """A function that runs one operation on one host. True: changed, False: failed, None: nothing to do."""
    state = FakeState()
    state.is_executing, state.print_output = True, True
    host = create_host(state)

    def run(arguments):
        result = None
        with ctx_state.use(state), ctx_host.use(host):
            for command in identity.present._inner(**arguments):
                result = command.function(state, host, *command.args, **command.kwargs)
        return result

    run.state = state
    return run


def test_a_run_that_changes_nothing_asks_once(cloud, keystone, run):
    for service in cloud.services:
        assert run(registration(cloud, service)) is True
    assert (keystone.reads, keystone.writes) == (1, 6)
    new_run()
    assert [run(registration(cloud, service)) for service in cloud.services] == [None] * 6
    assert (keystone.reads, keystone.writes) == (2, 6)


def test_a_write_tries_only_the_passwords_it_has_set(cloud, keystone, run):
    run(registration(cloud, "keystone"))
    run(registration(cloud, "glance"))
    tried = [users for _, users in keystone.asked]
    assert tried == [["cinder", "demo", "glance", "neutron", "nova", "placement"], ["demo"], ["glance"]]


def test_a_user_nobody_announced_is_tried_in_another_read(cloud, keystone, run):
    for service in ("keystone", "glance"):
        run(registration(cloud, service))
    new_run()
    run({**registration(cloud, "keystone"), "known_users": []})
    assert run({**registration(cloud, "glance"), "known_users": []}) is None
    assert keystone.reads == 3


def test_what_was_read_for_the_plan_is_not_used_when_it_is_executed(cloud, keystone, run):
    run.state.is_executing = False
    run(registration(cloud, "keystone"))
    run.state.is_executing = True
    run(registration(cloud, "keystone"))
    assert keystone.reads == 2


def test_while_the_plan_is_made_nobody_waits_for_keystone(cloud, keystone, run):
    keystone.refuse = True
    for run.state.is_executing in (False, True):
        assert run(registration(cloud, "keystone")) is False
    assert [timeout for timeout, _ in keystone.asked] == [0, 60]


def test_each_change_is_told_and_no_password(cloud, keystone, run, caplog):
    with caplog.at_level(logging.INFO, logger="pyinfra"):
        run(registration(cloud, "keystone"))
    assert "create user demo" in [record.getMessage() for record in caplog.records]
    assert not any(secret in caplog.text for secret in cloud.secrets.values())


def test_a_command_shows_no_password(cloud, keystone, run):
    with ctx_state.use(run.state), ctx_host.use(create_host(run.state)):
        commands = list(identity.present._inner(**registration(cloud, "keystone")))
    assert "create user demo" in repr(commands)
    assert not any(secret in repr(commands) for secret in cloud.secrets.values())


def test_a_failed_write_fails_the_host_and_is_read_again(cloud, keystone, run, caplog):
    run(registration(cloud, "keystone"))
    keystone.refuse = True
    assert run(registration(cloud, "glance")) is False
    assert "keystone at URL: no" in caplog.text
    keystone.refuse = False
    assert run(registration(cloud, "glance")) is True
    assert keystone.reads == 2


def test_a_write_without_effect_fails_the_host(cloud, keystone, run, caplog):
    keystone.forget = True
    assert run(registration(cloud, "keystone")) is False
    assert "there is still to do: create region RegionOne" in caplog.text
