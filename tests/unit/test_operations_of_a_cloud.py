"""Operations that take the whole cloud: the commands they give, for what their programs answer.

Those with plain arguments are cases in tests/operations.
"""

import copy

import clouds
import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState, parse_commands
from pyinfra_testing.util import create_host

from facts.reading import Unreadable
from operations import nova, schema

FAILED = ["report", [], {}]
CELL0 = "00000000-0000-0000-0000-000000000000"
CELL1 = "6a3f5a54-7c1c-4d3e-9a7b-2a7d0f0c1f11"
# Templates, no addresses and no passwords: nova fills them in.
BOTH_CELLS = {
    CELL0: {
        "name": "cell0",
        "transport_url": "none:///",
        "database_connection": "{scheme}://{username}:{password}@{hostname}:{port}/nova_cell0?{query}",
    },
    CELL1: {
        "name": "cell1",
        "transport_url": "{scheme}://{username}:{password}@{hostname}:{port}/{path}",
        "database_connection": "{scheme}://{username}:{password}@{hostname}:{port}/nova?{query}",
    },
}
MAP_CELL0 = (
    "LC_ALL=C.UTF-8 su -s /bin/sh -c 'nova-manage cell_v2 map_cell0 --database_connection "
    "'\"'\"'{scheme}://{username}:{password}@{hostname}:{port}/nova_cell0?{query}'\"'\"'' nova"
)
CREATE_CELL1 = (
    "LC_ALL=C.UTF-8 su -s /bin/sh -c 'nova-manage cell_v2 create_cell --name cell1 --database_connection "
    "'\"'\"'{scheme}://{username}:{password}@{hostname}:{port}/nova?{query}'\"'\"' --transport-url "
    "'\"'\"'{scheme}://{username}:{password}@{hostname}:{port}/{path}'\"'\"'' nova"
)
DISCOVER = "LC_ALL=C.UTF-8 su -s /bin/sh -c 'nova-manage cell_v2 discover_hosts' nova"


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path)


@pytest.fixture
def run(monkeypatch):
    """A function that runs an operation on one host; the program it asks gives ``answers``, one by one."""

    def run(module, operation, arguments, answers, host="controller"):
        answers = [copy.deepcopy(answer) for answer in answers]
        run.asked = []

        def ask(program, **request):
            run.asked.append((program, request))
            return answers.pop(0) if len(answers) > 1 else answers[0]

        monkeypatch.setattr(module, "ask", ask)
        run.state, run.host = FakeState(), create_host(FakeState())
        run.host.name = host
        with ctx_state.use(run.state), ctx_host.use(run.host):
            run.commands = list(operation._inner(**arguments))
        return parse_commands(run.commands)

    return run


def cells(run, cloud, answer):
    return run(nova, nova.cells, {"cloud": cloud}, [answer])


def hosts_mapped(run, cloud, *answers, host="controller", timeout=120):
    return run(nova, nova.hosts_mapped, {"cloud": cloud, "timeout": timeout}, answers, host)


def at_head(run, cloud, answer, **arguments):
    arguments = {"service": "glance", "commands": ["glance-manage db_sync"], **arguments}
    return run(schema, schema.at_head, {"cloud": cloud, **arguments}, [answer])


def test_cells_are_mapped_in_order_and_with_no_password(run, cloud):
    assert cells(run, cloud, {"cells": {}, "mapped": [], "reported": []}) == [MAP_CELL0, CREATE_CELL1]
    assert run.asked == [
        (
            "nova_cells",
            {
                "host": "192.168.56.11",
                "user": "nova",
                "password": cloud.secret("nova_database_password"),
                "api": "nova_api",
                "cell": "nova",
            },
        )
    ]


def test_a_run_that_was_killed_between_the_cells(run, cloud):
    one = {CELL0: BOTH_CELLS[CELL0]}
    assert cells(run, cloud, {"cells": one, "mapped": [], "reported": []}) == [CREATE_CELL1]


def test_cell0_is_known_by_its_id_and_not_by_its_name(run, cloud):
    renamed = {CELL0: {**BOTH_CELLS[CELL0], "name": "nowhere"}, CELL1: BOTH_CELLS[CELL1]}
    assert cells(run, cloud, {"cells": renamed, "mapped": [], "reported": []}) == []


def test_mapped_cells_are_left_alone(run, cloud):
    assert cells(run, cloud, {"cells": BOTH_CELLS, "mapped": [], "reported": []}) == []
    assert run.host.noop_description == "mapped: cell0, cell1"


def test_cells_that_cannot_be_read_are_not_missing(run, cloud):
    assert cells(run, cloud, Unreadable("Access denied for user 'nova'")) == [FAILED]


def test_hosts_are_discovered_once_all_have_reported(run, cloud):
    answer = {"cells": BOTH_CELLS, "mapped": [], "reported": []}
    commands = hosts_mapped(run, cloud, answer)
    assert commands == [["_wait_for", [cloud, {"compute"}, 120], {}], DISCOVER]


def wait(run, cloud, monkeypatch, *answers, timeout=120):
    """Run the wait that the operation gave, with a clock that only the wait itself moves."""
    hosts_mapped(run, cloud, *answers, timeout=timeout)
    clock = [0.0]
    monkeypatch.setattr(nova.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(nova.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    command = run.commands[0]
    return command.function(run.state, run.host, *command.args, **command.kwargs)


def test_the_wait_ends_when_the_last_host_has_reported(run, cloud, monkeypatch):
    nobody = {"cells": BOTH_CELLS, "mapped": [], "reported": []}
    all_of_them = {**nobody, "reported": ["compute"]}
    broken = Unreadable("Lost connection")
    assert wait(run, cloud, monkeypatch, nobody, nobody, broken, all_of_them) is True
    assert len(run.asked) == 4


def test_the_wait_names_who_has_not_reported(run, cloud, monkeypatch, caplog):
    nobody = {"cells": BOTH_CELLS, "mapped": [], "reported": ["another"]}
    assert wait(run, cloud, monkeypatch, nobody, timeout=10) is False
    assert "no report from nova-compute on compute within 10 s" in caplog.text


def test_mapped_hosts_need_nothing(run, cloud):
    answer = {"cells": BOTH_CELLS, "mapped": ["an-old-host", "compute"], "reported": ["compute"]}
    assert hosts_mapped(run, cloud, answer) == []
    assert run.host.noop_description == "mapped: compute"


def test_only_the_first_controller_asks(run, cloud):
    assert hosts_mapped(run, cloud, Unreadable("not asked"), host="compute") == []
    assert run.asked == []


def test_hosts_that_cannot_be_read_are_not_unmapped(run, cloud):
    assert hosts_mapped(run, cloud, Unreadable("Access denied for user 'nova'")) == [FAILED]


def test_a_schema_is_brought_to_head_as_the_services_user(run, cloud):
    answer = {"glance": {"heads": ["2024_1_expand01"], "found": []}}
    assert at_head(run, cloud, answer) == [
        "LC_ALL=C.UTF-8 su -s /bin/sh -c 'glance-manage db_sync' glance",
    ]
    ((program, request),) = run.asked
    assert program == "schema_state"
    assert request == {
        "python": "/usr/lib/python3/dist-packages",
        "schemas": [
            {
                "database": "glance",
                "host": "192.168.56.11",
                "user": "glance",
                "password": cloud.secret("glance_database_password"),
                "versions": ["glance/db/sqlalchemy/alembic_migrations/versions"],
            }
        ],
    }


def test_a_schema_is_read_database_by_database(run, cloud):
    """nova's API database has commands of its own."""
    arguments = {"service": "nova", "databases": ["nova_api"], "commands": ["nova-manage api_db sync"]}
    assert at_head(run, cloud, {"nova_api": {"heads": ["b"], "found": ["a"]}}, **arguments) == [
        "LC_ALL=C.UTF-8 su -s /bin/sh -c 'nova-manage api_db sync' nova"
    ]
    assert [item["database"] for item in run.asked[0][1]["schemas"]] == ["nova_api"]


def test_one_database_behind_is_enough(run, cloud):
    answer = {"nova_cell0": {"heads": ["b"], "found": ["b"]}, "nova": {"heads": ["b"], "found": ["a"]}}
    arguments = {"service": "nova", "databases": list(answer), "commands": ["nova-manage db sync"]}
    assert at_head(run, cloud, answer, **arguments) == [
        "LC_ALL=C.UTF-8 su -s /bin/sh -c 'nova-manage db sync' nova"
    ]


def test_a_schema_at_head_needs_nothing(run, cloud):
    answer = {"glance": {"heads": ["a", "b"], "found": ["a", "b"]}}
    assert at_head(run, cloud, answer) == []
    assert run.host.noop_description == "glance: at head"


def test_a_schema_that_cannot_be_read_is_not_behind(run, cloud):
    assert at_head(run, cloud, Unreadable("python3: not found")) == [FAILED]


def test_one_database_that_cannot_be_read(run, cloud, caplog):
    answer = {"glance": {"error": "OperationalError: (1045, 'Access denied')"}}
    assert at_head(run, cloud, answer) == [FAILED]
    command = run.commands[0]
    assert command.function(run.state, run.host) is False
    assert (
        "glance: its schema can't be read: glance: OperationalError: (1045, 'Access denied')" in caplog.text
    )
