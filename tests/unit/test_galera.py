"""MariaDB's cluster: who makes it, who joins, who begins after all have stopped; the operations' commands."""

import copy
import os
import subprocess

import clouds
import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState, parse_commands
from pyinfra_testing.util import create_host

from cloud import galera
from facts.reading import Unreadable
from operations import galera as operations
from operations.remote import galera_member

MEMBERS = list(clouds.MEMBERS)
UUID, OTHER = "6e93596f-e5fa-11f1-adfd-3308848fe398", "11111111-e5fa-11f1-adfd-3308848fe398"
FAILED = ["report", [], {}]
SYNCED = {
    "wsrep_cluster_status": "Primary",
    "wsrep_cluster_size": "3",
    "wsrep_local_state_comment": "Synced",
    "wsrep_ready": "ON",
}
ALONE = {**SYNCED, "wsrep_cluster_status": "non-Primary", "wsrep_ready": "OFF", "wsrep_cluster_size": "1"}


def member(status=None, uuid=None, seqno=-1, safe=False, **changes):
    """A member's answer; of a fresh host without any argument."""
    saved = uuid and {"uuid": uuid, "seqno": seqno, "safe": safe}
    active = "active" if status else "inactive"
    answer = {
        "active": active,
        "status": status,
        "saved": saved,
        "databases": [],
        "peers": {},
        "position": None,
    }
    return {**answer, **changes}


def serving(**changes):
    return member({**SYNCED, **changes}, UUID, databases=["keystone"])


def stopped(position, **changes):
    return member(uuid=UUID, databases=["keystone"], position=position, **changes)


def entrance(name, **answers):
    return galera.entrance(name, MEMBERS, answers)


def test_the_first_of_fresh_members_makes_the_cluster():
    fresh = {name: member() for name in MEMBERS}
    assert entrance("db1", **fresh) == "bootstrap"
    # Then the others join it.
    assert entrance("db2", **{**fresh, "db1": serving()}) == "join"
    # What a transfer that had not ended left is no cluster's data.
    assert entrance("db3", **{**fresh, "db1": serving(), "db3": member(uuid=galera.NOTHING)}) == "join"
    assert entrance("db1", **{**fresh, "db3": member(uuid=galera.NOTHING)}) == "bootstrap"


@pytest.mark.parametrize(
    ("name", "answers", "message"),
    [
        ("db2", {}, "the first member, db1, has not made the cluster"),
        ("db1", {"db3": None}, "nobody could ask db3"),
        ("db1", {"db2": member(uuid=UUID)}, "no member serves, but db2 belonged to a cluster"),
        ("db1", {"db2": member(uuid=UUID)}, "Run tasks/recover_database.py"),
        ("db1", {"db2": member(ALONE, UUID)}, "Run tasks/recover_database.py"),
        (
            "db1",
            {"db1": member(databases=["keystone"])},
            "db1 holds databases (keystone) and was never a member",
        ),
        (
            "db1",
            {"db2": member(databases=["nova"])},
            "db2 hold databases and were never members of a cluster",
        ),
        # A single server with data must not be overwritten by the cluster's.
        ("db2", {"db1": serving(), "db2": member(databases=["nova"])}, "joining one would replace them"),
    ],
)
def test_what_is_refused(name, answers, message):
    known = {**{name: member() for name in MEMBERS}, **answers}
    with pytest.raises(galera.Refusal) as refusal:
        entrance(name, **{name: answer for name, answer in known.items() if answer})
    assert message in str(refusal.value)


def test_a_member_outside_the_run_that_lives_is_joined_and_no_cluster_is_made_beside_it():
    """Design rule 5: --limit db1 sees the others by their ports."""
    assert entrance("db1", db1=member(peers={"db2": True, "db3": False})) == "join"
    with pytest.raises(galera.Refusal, match="nobody could ask db2, db3"):
        entrance("db1", db1=member(peers={"db2": False, "db3": False}))


@pytest.mark.parametrize(
    ("count", "size", "may"), [(3, 3, True), (3, 2, False), (5, 5, True), (5, 4, True), (5, 3, False)]
)
def test_a_restart_leaves_a_majority(count, size, may):
    assert galera.may_stop(serving(wsrep_cluster_size=str(size)), range(count)) is may


def test_the_member_that_got_furthest_begins():
    answers = {
        "db1": stopped(f"{UUID}:120"),
        "db2": stopped(f"{UUID}:124"),
        "db3": stopped(f"{UUID}:124", safe=True),
    }
    found = galera.recovery(MEMBERS, answers)
    assert found == galera.Recovery("db3", {"db1": 120, "db2": 124, "db3": 124})
    answers["db3"] = stopped(f"{UUID}:123", safe=True)
    assert galera.recovery(MEMBERS, answers).member == "db2"
    # Of equal ones the first; one whose transfer had not ended has nothing, whatever InnoDB's log says.
    answers["db1"] = stopped(f"{UUID}:124")
    answers["db2"] = {**member(uuid=galera.NOTHING), "position": f"{UUID}:999"}
    assert galera.recovery(MEMBERS, answers) == galera.Recovery("db1", {"db1": 124, "db2": None, "db3": 123})


@pytest.mark.parametrize(
    ("answers", "lost", "message"),
    [
        ({"db1": serving()}, (), "db1 serve: the others only have to join, which tasks/database.py does"),
        ({"db2": None}, (), "nobody could ask db2"),
        ({"db2": None}, (), "--data lost=HOST"),
        ({}, ("db9",), "lost: db9 is no database host; they are: db1, db2, db3"),
        ({"db2": {**member(uuid=OTHER), "position": f"{OTHER}:5"}}, (), "belong to different clusters"),
        (dict.fromkeys(MEMBERS, member()), (), "no member holds the data of a cluster"),
    ],
)
def test_recoveries_that_are_refused(answers, lost, message):
    known = {**{name: stopped(f"{UUID}:7") for name in MEMBERS}, **answers}
    with pytest.raises(galera.Refusal) as refusal:
        galera.recovery(MEMBERS, {name: answer for name, answer in known.items() if answer}, lost)
    assert message in str(refusal.value)


def test_a_lost_member_is_done_without():
    answers = {"db1": stopped(f"{UUID}:7"), "db2": stopped(f"{UUID}:8")}
    assert galera.recovery(MEMBERS, answers, ["db3"]).member == "db2"


def test_where_all_serve_nothing_is_recovered():
    assert galera.recovery(MEMBERS, {name: serving() for name in MEMBERS}) is None


# -- the operations


@pytest.fixture
def run(monkeypatch, tmp_path):
    """A function: the commands of an operation on a host, for what the programs and systemd answer."""
    cloud = clouds.cloud(tmp_path, clouds.CLUSTER_HOSTS, **clouds.VIRTUAL)

    def run(operation, name, answers, executing=True, systemd=None, **arguments):
        unit = {"load": "loaded", "active": "active", "enabled": "enabled", "reload": False, "start": 100.0}
        unit |= {"overrides": 0.0, **(systemd or {})}
        known = {host: answer for host, answer in copy.deepcopy(answers).items() if answer is not None}
        mine = known.get(name, Unreadable("no answer"))
        asked = []

        def ask(program, **request):
            asked.append((program, request))
            return mine

        monkeypatch.setattr(operations, "answers", {k: v for k, v in known.items() if isinstance(v, dict)})
        monkeypatch.setattr(operations, "ask", ask)
        config = (systemd or {}).get("config", 50.0)
        units = {"units": {"mariadb.service": unit}, "config": config}
        monkeypatch.setattr(operations, "read", lambda *_, **__: units)
        state, host = FakeState(), create_host(FakeState())
        state.is_executing, host.name = executing, name
        monkeypatch.setattr(operations, "state", state)
        with ctx_state.use(state), ctx_host.use(host):
            commands = list(operation._inner(cloud=cloud, **arguments))
        run.host, run.asked, run.state, run.commands = host, asked, state, commands
        return [verb(command) for command in parse_commands(commands)]

    return run


def verb(command):
    """What a command does, without the script that does it."""
    if not isinstance(command, str) or not command.startswith("sh -c "):
        return command
    # After the script its own name, which is the first argument again.
    return command.rpartition("'")[2].split(maxsplit=1)[1]


def started(run, name, answers, **arguments):
    return run(operations.running, name, answers, config=["/etc/mysql/x.cnf"], **arguments)


FRESH = {name: member() for name in MEMBERS}
DOWN = {"active": "inactive", "start": 0.0}


def test_the_first_start(run):
    assert started(run, "db1", FRESH, systemd=DOWN) == ["bootstrap mariadb 600"]
    program, request = run.asked[0]
    assert program == "galera_member"
    assert request["unit"] == "mariadb"
    assert {"keystone", "nova_cell0", "cinder"} <= set(request["databases"])
    # Those that answered are not looked for by their ports.
    assert request["peers"] == {}
    assert started(run, "db2", {**FRESH, "db1": serving()}, systemd=DOWN) == ["start mariadb 600"]
    assert started(run, "db2", FRESH, systemd=DOWN) == [FAILED]


def test_those_that_nobody_asked_are_looked_for(run):
    started(run, "db1", {"db1": member(), "db2": member()}, systemd=DOWN)
    assert run.asked[0][1]["peers"] == {"db3": ["192.168.56.23", 4567]}


def test_the_plan_asks_nobody_else(run):
    assert started(run, "db3", {"db3": member()}, executing=False, systemd=DOWN) == ["start mariadb 600"]


def test_a_synced_member_is_left_alone(run):
    assert started(run, "db1", dict.fromkeys(MEMBERS, serving())) == []
    assert run.host.noop_description == "mariadb: synced, and newer than its configuration"


def test_a_member_older_than_its_configuration_is_restarted_while_a_majority_stays(run):
    stale = {"config": 101.0}
    everyone = dict.fromkeys(MEMBERS, serving())
    assert started(run, "db2", everyone, systemd=stale) == ["restart mariadb 600"]
    assert started(run, "db2", {**everyone, "db2": serving(wsrep_cluster_size="2")}, systemd=stale) == [
        FAILED
    ]


def test_one_that_gives_its_data_away_is_waited_for(run):
    donor = serving(wsrep_local_state_comment="Donor/Desynced")
    assert started(run, "db2", {**FRESH, "db2": donor}) == ["wait mariadb 600"]


def test_a_server_that_ran_before_its_configuration_is_made_a_member(run):
    """As the package starts it at a boot before the first deploy: with no data of ours."""
    single = member({"wsrep_cluster_status": "Disconnected", "wsrep_ready": "OFF"})
    stale = {"config": 101.0}
    assert started(run, "db1", {**FRESH, "db1": single}, systemd=stale) == ["bootstrap mariadb 600"]
    assert started(run, "db2", {**FRESH, "db1": serving(), "db2": single}, systemd=stale) == [
        "restart mariadb 600"
    ]


def test_a_unit_that_is_off_at_boot_is_turned_on(run):
    off = {"enabled": "disabled", "reload": True}
    assert started(run, "db1", dict.fromkeys(MEMBERS, serving()), systemd=off) == [
        "systemctl daemon-reload",
        "systemctl enable mariadb",
    ]


def test_what_cannot_be_asked_is_not_taken_for_fresh(run):
    assert started(run, "db1", {**FRESH, "db1": Unreadable("no python3")}) == [FAILED]
    assert run(operations.collect, "db1", {**FRESH, "db1": Unreadable("no python3")}) == [FAILED]


def test_a_recovery_stops_only_where_nobody_serves(run):
    waiting = dict.fromkeys(MEMBERS, member(ALONE, UUID))
    assert run(operations.halted, "db1", waiting) == ["mariadb 30"]
    assert run(operations.halted, "db1", {**waiting, "db2": serving()}) == []
    assert run(operations.halted, "db1", {**waiting, "db2": None}) == []
    assert run(operations.halted, "db1", {**waiting, "db1": stopped(None)}) == []


@pytest.mark.parametrize(
    ("ends", "done", "status"),
    [("stop", "stop", 0), ("kill", "stop kill stop", 0), ("never", "stop kill stop", 1)],
)
def test_a_member_that_does_not_hear_sigterm_is_killed(tmp_path, ends, done, status):
    """As those do that wait for a member which has forgotten the last view: their unit has SendSIGKILL=no."""
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        f"""#!/bin/sh
[ "$1" = is-active ] && exec echo deactivating
echo "$1" >>{tmp_path}/done
case {ends} in
    stop) exit 0 ;;
    kill) [ "$1" = kill ] || grep -q kill {tmp_path}/done || exec sleep 60 ;;
    never) [ "$1" = kill ] || exec sleep 60 ;;
esac
"""
    )
    systemctl.chmod(0o755)
    ran = subprocess.run(
        ["sh", "-c", operations.HALT, "sh", "mariadb", "1"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == status, ran.stderr
    assert (tmp_path / "done").read_text().split() == done.split()
    assert ("mariadb is deactivating 1 seconds after SIGKILL" in ran.stderr) == bool(status)


def test_a_recovery_begins_on_one_member(run, caplog):
    answers = {"db1": stopped(f"{UUID}:7"), "db2": stopped(f"{UUID}:9"), "db3": stopped(f"{UUID}:9")}
    assert run(operations.recovered, "db1", answers) == []
    assert run(operations.recovered, "db2", answers) == [
        "/var/lib/mysql/grastate.dat",
        "bootstrap mariadb 600",
    ]
    assert run(operations.recovered, "db3", answers) == []
    assert run(operations.recovered, "db2", answers, executing=False) == []
    assert run(operations.recovered, "db2", {**answers, "db1": serving()}) == [FAILED]
    assert run(operations.recovered, "db2", dict.fromkeys(MEMBERS, serving())) == []


def test_positions_are_only_asked_for_where_nobody_serves(run):
    run(operations.collect, "db1", dict.fromkeys(MEMBERS, stopped(None)), recover=True)
    assert run.asked[0][1]["recover"] is True
    run(operations.collect, "db1", {**dict.fromkeys(MEMBERS, stopped(None)), "db2": serving()}, recover=True)
    assert run.asked[0][1]["recover"] is False
    run(operations.collect, "db1", {"db1": stopped(None)}, recover=True)
    assert run.asked[0][1]["recover"] is False


# -- the program

GRASTATE = "# GALERA saved state\nversion: 2.1\nuuid:    %s\nseqno:   %d\nsafe_to_bootstrap: %d\n"


def test_grastate(tmp_path):
    assert galera_member.saved(str(tmp_path)) is None
    (tmp_path / "grastate.dat").write_text(GRASTATE % (UUID, -1, 1))
    assert galera_member.saved(str(tmp_path)) == {"uuid": UUID, "seqno": -1, "safe": True}


def test_a_position_after_a_crash_is_innodbs(monkeypatch):
    monkeypatch.setattr(galera_member, "run", lambda argv, seconds: f"--wsrep_start_position={UUID}:216\n")
    assert galera_member.position({"uuid": UUID, "seqno": -1, "safe": False}) == f"{UUID}:216"
    assert galera_member.position({"uuid": UUID, "seqno": 12, "safe": False}) == f"{UUID}:12"
    assert galera_member.position(None) is None
    # MariaDB 10.5 and later add its own position behind a comma.
    monkeypatch.setattr(galera_member, "run", lambda *_: f"--wsrep_start_position={UUID}:216,0-1-9\n")
    assert galera_member.position({"uuid": UUID, "seqno": -1, "safe": False}) == f"{UUID}:216"


def test_the_answer(monkeypatch, tmp_path):
    (tmp_path / "keystone").mkdir()
    printed = (
        "wsrep_cluster_status\tPrimary\nwsrep_ready\tON\nwsrep_provider_name\tGalera\nwsrep_cluster_size\t3\n"
    )
    monkeypatch.setattr(
        galera_member, "run", lambda argv, _: "ActiveState=active\n" if argv[0] == "systemctl" else printed
    )
    request = {"unit": "mariadb", "folder": str(tmp_path), "databases": ["keystone", "nova"], "peers": {}}
    answer = galera_member.main({**request, "recover": False})
    assert answer["databases"] == ["keystone"]
    assert answer["active"] == "active"
    assert answer["status"] == {
        "wsrep_cluster_status": "Primary", "wsrep_ready": "ON", "wsrep_cluster_size": "3"
    }  # fmt: skip
    with pytest.raises(RuntimeError, match="mariadb is active: it must not run now"):
        galera_member.main({**request, "recover": True})


def test_a_server_that_runs_and_does_not_answer_is_an_error(monkeypatch, tmp_path):
    def run(argv, _):
        if argv[0] == "systemctl":
            return "ActiveState=active\n"
        raise RuntimeError("mariadb: Access denied for user 'root'@'localhost'")

    monkeypatch.setattr(galera_member, "run", run)
    monkeypatch.setattr(galera_member.time, "sleep", lambda _: None)
    with pytest.raises(RuntimeError, match="Access denied"):
        galera_member.settled("mariadb", 0)
