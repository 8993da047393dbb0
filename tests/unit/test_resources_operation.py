"""Resources made and removed: what is asked, staged and told; the plans are in test_resources.py."""

import logging

import clouds
import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState
from pyinfra_testing.util import create_host
from test_resources import demo, empty, full

from cloud import resource_files
from facts.reading import Unreadable
from operations import resources


class Controller:
    """Stands in for the programs on the first controller."""

    def __init__(self, state, after=None):
        self.state, self.after = state, after
        self.error, self.requests = None, []

    def __call__(self, program, **request):
        self.requests.append((program, request))
        if isinstance(self.state, Unreadable):
            return self.state
        if program == "sdk_identity":
            return {
                "projects": {
                    "admin": {"id": "p", "is_enabled": True},
                    "demo": {"id": "d", "is_enabled": True},
                },
                "roles": {"admin": "r"},
                "users": {"admin": {"id": "u", "is_enabled": True}},
                "passwords": {"admin": True},
                "assignments": [["admin", "admin", "admin"]],
                "regions": [],
                "services": [],
                "endpoints": [],
            }
        steps = request["steps"]
        if self.error:
            return {"done": 2 if steps else 0, "error": self.error if steps else None, "state": self.state}
        return {"done": len(steps), "error": None, "state": self.after if steps else self.state}


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path, resources=demo(tmp_path))


@pytest.fixture
def finished(cloud):
    declared = cloud.settings.resources
    return full(declared, resource_files.read(declared))


@pytest.fixture
def run(monkeypatch):
    """A function that runs an operation on one host. True: changed, False: failed, None: nothing to do."""
    state = FakeState()
    state.is_executing, state.print_output = True, True
    host = create_host(state)
    run_sent = []
    commands = []
    monkeypatch.setattr(resources, "read", lambda fact: commands.append(fact().command()))
    monkeypatch.setattr(
        type(host), "put_file", lambda self, file, to: run_sent.append((file, to)) or True, raising=False
    )

    def run(operation, cloud, controller):
        monkeypatch.setattr(resources, "ask", controller)
        result = None
        with ctx_state.use(state), ctx_host.use(host):
            for command in operation._inner(cloud):
                result = command.function(state, host, *command.args, **command.kwargs)
        return result

    run.sent, run.commands = run_sent, commands
    return run


def test_all_is_made_by_one_process(cloud, finished, run, caplog):
    controller = Controller(empty(), finished)
    with caplog.at_level(logging.INFO, logger="pyinfra"):
        assert run(resources.present, cloud, controller) is True
    writes = [request for program, request in controller.requests if request.get("steps")]
    assert len(writes) == 1
    told = [record.getMessage() for record in caplog.records]
    assert "create instance hello" in told
    assert "give user admin the role admin on project demo" in told
    assert not any("find the port" in line for line in told)
    assert not any(secret in caplog.text for secret in cloud.secrets.values())


def test_images_are_staged_where_only_root_can_read_them(cloud, finished, run):
    run(resources.present, cloud, Controller(empty(), finished))
    assert run.commands == [
        "install -d -m 700 /var/cache/openstack-images && rm -f /var/cache/openstack-images/*"
    ]
    assert {to.rsplit("/", 1)[0] for _, to in run.sent} == {"/var/cache/openstack-images"}


def test_a_second_run_asks_once_and_changes_nothing(cloud, finished, run):
    controller = Controller(finished)
    assert run(resources.present, cloud, controller) is None
    assert [program for program, _ in controller.requests] == ["sdk_resources"]
    assert run.sent == []


def test_a_problem_creates_nothing(cloud, run, caplog):
    state = empty()
    state["compute_hosts"] = ["compute"]
    controller = Controller(state)
    assert run(resources.present, cloud, controller) is False
    assert "nothing was created: instance hello: no such compute host: compute2" in caplog.text
    assert not any(request.get("steps") or request.get("actions") for _, request in controller.requests)


def test_the_apis_own_reason_is_told_with_what_was_done(cloud, run, caplog):
    controller = Controller(empty())
    controller.error = "could not create volume type lvm: no"
    with caplog.at_level(logging.INFO, logger="pyinfra"):
        assert run(resources.present, cloud, controller) is False
    assert "create flavor m1.nano" in caplog.text
    assert "create volume type lvm: no" in caplog.text
    assert "create instance hello" not in caplog.text


def test_an_unreadable_cloud_is_not_an_empty_one(cloud, run, caplog):
    for operation in (resources.present, resources.absent):
        controller = Controller(Unreadable("no answer"))
        assert run(operation, cloud, controller) is False
        assert len(controller.requests) == 1
    assert "no answer" in caplog.text


def test_teardown(cloud, finished, run):
    assert run(resources.absent, cloud, Controller(finished, empty())) is True
    assert run(resources.absent, cloud, Controller(empty())) is None


def test_what_is_still_there_after_all_steps_fails(cloud, finished, run, caplog):
    assert run(resources.absent, cloud, Controller(finished, finished)) is False
    assert "there is still to do: remove instance hello" in caplog.text
