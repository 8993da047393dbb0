"""RabbitMQ's cluster: who begins, joins, restarts, and comes back after a split; and silent services."""

import copy
import json

import clouds
import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState, parse_commands
from pyinfra_testing.util import create_host

from cloud import rabbitmq, recovery
from cloud.verdict import Answers
from facts.reading import Unreadable
from operations import rabbitmq_cluster as operations
from operations import recovery as recovering
from operations import verify
from operations.remote import rabbitmq_member

MEMBERS = list(clouds.MEMBERS)
NODES = [f"rabbit@{name}" for name in MEMBERS]
FAILED = ["report", [], {}]
DOWN = {"active": "inactive", "start": 0.0}


def member(running=(), members=None, **changes):
    """A member's answer; of a fresh host without any argument."""
    answer = {"active": "active" if running else "inactive", "known": None, "members": None, "running": []}
    if running:
        answer |= {"running": list(running), "members": list(members or running), "known": list(running)}
    return {**answer, "partitions": [], "queues": None, "leaderless": [], "leaders": {}, **changes}


FRESH = {name: member() for name in MEMBERS}
WHOLE = {name: member(NODES) for name in MEMBERS}
# db3 sees nobody, and is not seen.
SPLIT = {**{name: member(NODES[:2], NODES) for name in MEMBERS[:2]}, "db3": member(NODES[2:], queues=2)}


def test_the_core_is_the_largest_number_that_see_one_another():
    assert rabbitmq.core(MEMBERS, WHOLE) == MEMBERS
    assert rabbitmq.core(MEMBERS, SPLIT) == ["db1", "db2"]
    assert rabbitmq.core(MEMBERS, FRESH) == []
    # One that says it sees everyone while nobody sees it.
    assert rabbitmq.core(MEMBERS, {**SPLIT, "db3": member(NODES)}) == ["db1", "db2"]
    # Nobody sees anybody: the first.
    alone = {name: member([f"rabbit@{name}"]) for name in MEMBERS}
    assert rabbitmq.core(MEMBERS, alone) == ["db1"]


def test_a_whole_cluster():
    assert rabbitmq.whole(WHOLE["db1"], MEMBERS)
    assert not rabbitmq.whole(SPLIT["db1"], MEMBERS)
    assert not rabbitmq.whole(member(NODES, partitions=["rabbit@db2"]), MEMBERS)
    assert not rabbitmq.whole(member(), MEMBERS)


@pytest.fixture
def cloud(tmp_path):
    return clouds.cloud(tmp_path, clouds.CLUSTER_HOSTS, **clouds.VIRTUAL)


@pytest.fixture
def run(monkeypatch, cloud):
    """A function: the commands of an operation on a host, for what the programs and systemd answer."""

    def run(operation, name, answers, executing=True, systemd=None, after=None, **arguments):
        unit = {"load": "loaded", "active": "active", "enabled": "enabled", "reload": False, "start": 100.0}
        unit |= {"overrides": 0.0, **(systemd or {})}
        known = copy.deepcopy(answers)
        given = [known.get(name, Unreadable("no answer")), after or known.get(name, Unreadable("no answer"))]

        def ask(program, **request):
            assert program == "rabbitmq_member"
            assert request == {"unit": "rabbitmq-server", "node": f"rabbit@{name}", "queues": False}
            return given.pop(0) if len(given) > 1 else given[0]

        monkeypatch.setattr(operations, "answers", {k: v for k, v in known.items() if isinstance(v, dict)})
        monkeypatch.setattr(operations, "ask", ask)
        units = {"units": {"rabbitmq-server.service": unit}, "config": (systemd or {}).get("config", 50.0)}
        monkeypatch.setattr(operations, "read", lambda *_, **__: units)
        state, host = FakeState(), create_host(FakeState())
        state.is_executing, host.name = executing, name
        monkeypatch.setattr(operations, "state", state)
        with ctx_state.use(state), ctx_host.use(host):
            commands = list(operation._inner(cloud=cloud, **arguments))
        run.host = host
        return [verb(command) for command in parse_commands(commands)]

    return run


def verb(command):
    """What a command does, without its script: whether it forgets and joins, and its arguments."""
    if not isinstance(command, str) or not command.startswith("sh -c "):
        return command
    words = command.rpartition("'")[2].split(maxsplit=1)[1]
    doing = [word for word in ("force_reset", "forget_cluster_node", "join_cluster") if word in command]
    return " ".join([*doing, words])


def started(run, name, answers, **arguments):
    return run(operations.running, name, answers, config=["/etc/rabbitmq/rabbitmq.conf"], **arguments)


def test_the_first_start(run):
    first = {**FRESH, "db1": member(NODES[:1])}
    assert started(run, "db1", FRESH, systemd=DOWN, after=first["db1"]) == ["start rabbitmq-server 300"]
    # The others join by their first start; nobody remembers them, which is no fault.
    assert started(run, "db2", first, systemd=DOWN, after=member(NODES[:2])) == [
        "forget_cluster_node rabbit@db2 rabbit@db1",
        "start rabbitmq-server 300",
    ]
    assert started(run, "db2", FRESH, systemd=DOWN) == [FAILED]


def test_no_second_cluster_is_begun(run):
    assert started(run, "db1", {"db1": member()}, systemd=DOWN) == [FAILED]
    known = {**FRESH, "db2": member(known=NODES)}
    assert started(run, "db1", known, systemd=DOWN) == [FAILED]
    # One that came up beside the cluster did not join it.
    first = {**FRESH, "db1": member(NODES[:1])}
    assert started(run, "db2", first, systemd=DOWN, after=member(NODES[1:2])) == [
        "forget_cluster_node rabbit@db2 rabbit@db1",
        "start rabbitmq-server 300",
        FAILED,
    ]


def test_a_member_is_left_alone(run):
    assert started(run, "db2", WHOLE) == []
    assert run.host.noop_description == "rabbitmq-server: in the cluster, and newer than its configuration"


def test_a_member_older_than_its_configuration_is_restarted_while_a_majority_runs(run):
    stale = {"config": 101.0}
    assert started(run, "db2", WHOLE, systemd=stale) == ["restart rabbitmq-server 300"]
    two = {name: member(NODES[:2], NODES) for name in MEMBERS[:2]}
    assert started(run, "db2", two, systemd=stale) == [FAILED]
    # With the new cookie on the disk nobody can ask it, and only the restart helps.
    unasked = {**FRESH, "db1": Unreadable("rabbitmqctl: authentication failed")}
    assert started(run, "db1", unasked, systemd=stale, after=member(NODES[:1])) == [
        "restart rabbitmq-server 300"
    ]
    assert started(run, "db1", unasked) == [FAILED]


def test_one_that_began_alone_joins_when_it_holds_no_queue(run):
    first = {**FRESH, "db1": member(NODES[:1])}
    alone = {**first, "db2": member(NODES[1:2], queues=0)}
    assert started(run, "db2", alone, after=member(NODES[:2])) == [
        "force_reset forget_cluster_node join_cluster rabbit@db2 rabbit@db1"
    ]
    assert started(run, "db2", {**first, "db2": member(NODES[1:2], queues=3)}) == [FAILED]
    assert started(run, "db3", SPLIT) == [FAILED]


def test_those_that_were_members_start_together(run):
    down = {name: member(known=NODES) for name in MEMBERS}
    assert run(operations.returned, "db2", down) == ["start rabbitmq-server 300"]
    assert run(operations.returned, "db2", FRESH) == []
    assert run(operations.returned, "db2", WHOLE) == []


def test_a_member_that_split_off_is_reset_and_joins(run):
    assert run(operations.recovered, "db3", SPLIT) == [
        "force_reset forget_cluster_node join_cluster rabbit@db3 rabbit@db1"
    ]
    assert run(operations.recovered, "db1", SPLIT) == []
    assert run(operations.recovered, "db3", SPLIT, executing=False) == []
    stopped = {**SPLIT, "db3": member(known=NODES)}
    assert run(operations.recovered, "db3", stopped, after=SPLIT["db3"]) == [
        "start rabbitmq-server 300",
        "force_reset forget_cluster_node join_cluster rabbit@db3 rabbit@db1",
    ]
    assert run(operations.recovered, "db2", WHOLE) == []


def test_the_majority_that_tells_of_a_partition_stays_as_it_is(run):
    """Two that see one another, and name the third: as it was after a break of exactly net_ticktime."""
    told = {name: {**answer, "partitions": NODES[::2]} for name, answer in SPLIT.items()}
    assert run(operations.recovered, "db1", told) == []
    assert run(operations.recovered, "db3", told) == [
        "force_reset forget_cluster_node join_cluster rabbit@db3 rabbit@db1"
    ]
    # Two that do not see one another, and a third that sees both: one of the two gives way.
    partial = {
        "db1": member([NODES[0], NODES[2]], NODES, partitions=[NODES[0]]),
        "db2": member([NODES[1], NODES[2]], NODES, partitions=[NODES[1]]),
        "db3": member(NODES),
    }
    assert run(operations.recovered, "db1", partial) == [
        "force_reset forget_cluster_node join_cluster rabbit@db1 rabbit@db2"
    ]


def test_a_member_that_pauses_and_does_not_go_on_is_restarted_and_not_reset(run):
    paused = {**SPLIT, "db3": member(known=NODES, active="active")}
    assert run(operations.recovered, "db3", paused, after=member(NODES)) == ["restart rabbitmq-server 300"]
    assert run(operations.returned, "db3", paused) == ["restart rabbitmq-server 300"]


def test_without_a_majority_nobody_is_reset(run):
    alone = {name: member([f"rabbit@{name}"]) for name in MEMBERS}
    assert run(operations.recovered, "db1", alone) == [FAILED]
    assert run(operations.recovered, "db2", alone) == [FAILED]
    # A run that is limited to one: what that one sees itself counts.
    assert run(operations.recovered, "db2", {"db2": member(NODES)}) == []
    assert run(operations.recovered, "db3", {"db3": SPLIT["db3"]}) == [FAILED]
    assert run(operations.recovered, "db1", {**alone, "db1": Unreadable("no answer")}) == [FAILED]


# -- the program

STATUS = {"disk_nodes": NODES, "ram_nodes": [], "running_nodes": NODES[:2], "partitions": {}}
QUEUES = [
    {"name": "a", "type": "quorum", "leader": NODES[0], "online": NODES[:2]},
    {"name": "b", "type": "quorum", "leader": NODES[2], "online": NODES[:1]},
    {"name": "c", "type": "quorum", "leader": "", "online": []},
    {"name": "d", "type": "classic", "leader": NODES[1], "online": ""},
]


def test_leaders():
    assert rabbitmq_member.leaders(QUEUES) == (["b", "c"], {NODES[0]: 1})


def test_what_a_server_remembers(monkeypatch, tmp_path):
    monkeypatch.setattr(rabbitmq_member, "FOLDER", str(tmp_path))
    assert rabbitmq_member.known(NODES[0]) is None
    (tmp_path / NODES[0]).mkdir()
    (tmp_path / NODES[0] / "cluster_nodes.config").write_text(
        "{[rabbit@db2,'rabbit@linux-node1.example.org'],[rabbit@db2]}.\n"
    )
    assert rabbitmq_member.known(NODES[0]) == ["rabbit@db2", "rabbit@linux-node1.example.org"]


def test_the_answer(monkeypatch, tmp_path):
    monkeypatch.setattr(rabbitmq_member, "FOLDER", str(tmp_path))

    def run(*argv, seconds=60):
        if argv[0] == "systemctl":
            return "ActiveState=active\n"
        return json.dumps(STATUS if "cluster_status" in argv else QUEUES)

    monkeypatch.setattr(rabbitmq_member, "run", run)
    request = {"unit": "rabbitmq-server", "node": NODES[0]}
    answer = rabbitmq_member.main({**request, "queues": False})
    assert answer["members"] == NODES
    assert answer["running"] == NODES[:2]
    assert answer["queues"] is None
    assert rabbitmq_member.main({**request, "queues": True})["leaders"] == {NODES[0]: 1}
    monkeypatch.setitem(STATUS, "disk_nodes", NODES[:1])
    # One that is alone tells whether it holds something.
    assert rabbitmq_member.main({**request, "queues": False})["queues"] == 4


def test_a_member_that_pauses_is_known_from_one_that_nobody_can_ask(monkeypatch, tmp_path):
    monkeypatch.setattr(rabbitmq_member, "FOLDER", str(tmp_path))

    def run(*argv, seconds=60):
        if "cluster_status" in argv or "ping" in refused:
            raise RuntimeError("rabbitmqctl: this command requires the 'rabbit' app to be running")
        return "ActiveState=active\n"

    monkeypatch.setattr(rabbitmq_member, "run", run)
    request, refused = {"unit": "rabbitmq-server", "node": NODES[0], "queues": True}, []
    answer = rabbitmq_member.main(request)
    assert (answer["active"], answer["members"], answer["running"]) == ("active", None, [])
    refused.append("ping")
    with pytest.raises(RuntimeError, match="requires the 'rabbit' app"):
        rabbitmq_member.main(request)


# -- services that are not heard of


def heartbeat(host, name, **changes):
    return {"host": host, "name": name, "up": True, "enabled": True, "age": 4.2, **changes}


@pytest.fixture
def silent():
    active, failed = {"active": "active"}, {"active": "failed"}
    return Answers(
        hosts={
            "controller": {
                "units": {"nova-conductor": active, "nova-scheduler": failed, "cinder-scheduler": active}
            },
            "compute": {"units": {"nova-compute": active, "neutron-openvswitch-agent": active}},
            "storage": "unreachable over SSH",
        },
        api={
            "nova_services": [
                heartbeat("controller", "nova-conductor", age=900),
                heartbeat("controller", "nova-scheduler", up=False),
                heartbeat("compute", "nova-compute"),
            ],
            "neutron_agents": [heartbeat("compute", "Open vSwitch agent", up=False)],
            "cinder_services": [
                heartbeat("controller", "cinder-scheduler"),
                heartbeat("storage@lvm", "cinder-volume", up=False),
            ],
        },
    )


def test_silent_services_are_active_and_not_heard_of(cloud, silent):
    """A unit that failed is no business of the queue, and on a host that is gone nobody can restart one."""
    assert recovery.silent(cloud, silent) == {
        "controller": ["nova-conductor"],
        "compute": ["neutron-openvswitch-agent"],
    }
    silent.api = "not asked"
    assert recovery.silent(cloud, silent) == {}


def test_they_are_restarted(cloud, silent, monkeypatch):
    monkeypatch.setattr(verify, "answers", silent)
    state, host = FakeState(), create_host(FakeState())
    state.is_executing, host.name = True, "compute"
    monkeypatch.setattr(recovering, "state", state)
    with ctx_state.use(state), ctx_host.use(host):
        assert parse_commands(list(recovering.restarted._inner(cloud=cloud))) == [
            "systemctl restart neutron-openvswitch-agent"
        ]
        host.name = "storage"
        assert list(recovering.restarted._inner(cloud=cloud)) == []
