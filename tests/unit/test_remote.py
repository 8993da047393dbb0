"""The programs that run on the hosts: how they travel, and what they work out there."""

import json
import socket
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
import vermin

from facts import program
from facts.program import Program, text_of
from operations.remote import verify_host

try:
    from operations.remote import schema_state
except ImportError:  # pymysql is on the controller, not necessarily here
    sys.modules["pymysql"] = types.ModuleType("pymysql")
    from operations.remote import schema_state

    del sys.modules["pymysql"]

AWKWARD = {
    "quotes": 'it\'s "so" \'\'\'triple\'\'\' """double"""',
    "backslashes": "C:\\new\\table \\\\ \\u0041 \\",
    "unicode": "pässwörd ☃ 𝄞",
    "lines": "one\ntwo\r\n\tthree\0",
    "shell": "$(id) `id` $HOME %s {0} ; #",
    "nested": {"list": [1, 2.5, None, True, {"a": []}]},
}


@pytest.fixture
def echo(tmp_path, monkeypatch):
    """A program that answers what it was asked, after some noise."""
    source = '"""Echo."""\n\n\ndef main(request):\n    print("noise")\n    return request\n'
    (tmp_path / "echo.py").write_text(source)
    monkeypatch.setattr(program, "FOLDER", tmp_path)


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_a_request_arrives_as_it_was_sent(echo, locale):
    text = text_of("echo", AWKWARD)
    # On the way the text is plain ASCII: no host's locale can break it.
    assert text.isascii()
    ran = subprocess.run(
        [sys.executable, "-", "echo"],
        input=text,
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={"LC_ALL": locale},
    )
    assert ran.stderr == ""
    assert Program().process(ran.stdout.splitlines()) == AWKWARD


def test_no_secret_is_in_the_command(echo):
    assert "☃" not in Program().command("echo")
    assert Program().command("echo").endswith("python3 - echo")


def test_every_program_has_a_main_and_compiles():
    for path in program.FOLDER.glob("[!_]*.py"):
        text = text_of(path.stem, {})
        compile(text, path.name, "exec")
        assert "\ndef main(request):" in text


# -- schema_state


def migrations(folder, **files):
    """Write migrations, ``NAME`` or ``NAME_in_FOLDER``, and return the tree."""
    for name, text in files.items():
        path = folder.joinpath(*name.split("_in_")[::-1]).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [str(folder)]


@pytest.mark.parametrize(
    ("files", "heads"),
    [
        # A line of three.
        (
            {
                "one": "revision = 'a'\ndown_revision = None\n",
                "two": "revision = 'b'\ndown_revision = 'a'\n",
                "three": 'revision = "c"\ndown_revision = "b"\n',
            },
            ["c"],
        ),
        # Two branches, in folders, as neutron has them: expand and contract.
        (
            {
                "kilo_initial": "revision = 'kilo'\ndown_revision = None\n",
                "e1_in_expand": "revision = 'e1'\ndown_revision = 'kilo'\nbranch_labels = ('expand',)\n",
                "c1_in_contract": "revision = 'c1'\ndown_revision = 'kilo'\n",
                "e2_in_expand": "revision = 'e2'\ndown_revision = 'e1'\n",
            },
            ["c1", "e2"],
        ),
        # A merge of two branches.
        (
            {
                "a": "revision = 'a'\ndown_revision = None\n",
                "b": "revision = 'b'\ndown_revision = None\n",
                "c": "revision = 'c'\ndown_revision = ('a', 'b')\n",
            },
            ["c"],
        ),
        # A merge on several lines, and as a list.
        (
            {
                "a": "revision = 'a'\ndown_revision = None\n",
                "b": "revision = 'b'\ndown_revision = None\n",
                "c": "revision = 'c'\ndown_revision = (\n    'a',\n    'b',\n)\n",
                "d": "revision = 'd'\ndown_revision = ['c']\n",
            },
            ["d"],
        ),
        # Annotated, as new versions of alembic write it, with a comment behind.
        (
            {
                "a": "revision: str = 'a'\ndown_revision: str | None = None\n",
                "b": "revision: str = 'b'  # the 'second'\ndown_revision: Union[str, None] = 'a'  # 'x'\n",
            },
            ["b"],
        ),
        # glance's contract branch depends on its expand branch, which alembic_version then leaves out.
        (
            {
                "expand": "revision = 'expand'\ndown_revision = None\n",
                "contract": "revision = 'contract'\ndown_revision = None\ndepends_on = 'expand'\n",
            },
            ["contract"],
        ),
        (
            {
                "a": "revision = 'a'\ndown_revision = None\n",
                "b": "revision = 'b'\ndown_revision = None\n",
                "c": "revision = 'c'\ndown_revision = None\ndepends_on = ('a', 'b')\n",
            },
            ["c"],
        ),
        # What only looks like it: docstrings, other names, code in a function.
        (
            {
                "__init__": "",
                "a": '"""Title\n\nRevision ID: a\nRevises: None\n"""\nrevision = "a"\ndown_revision = None\n'
                'neutron_milestone = ["x"]\n\ndef upgrade():\n    revision = "no"\n',
            },
            ["a"],
        ),
    ],
)  # fmt: skip
def test_heads(tmp_path, files, heads):
    assert schema_state.heads(migrations(tmp_path, **files)) == heads


def test_heads_of_several_trees(tmp_path):
    one = migrations(tmp_path / "one", a="revision = 'a'\ndown_revision = None\n")
    two = migrations(tmp_path / "two", b="revision = 'b'\ndown_revision = 'a'\n")
    assert schema_state.heads(one + two) == ["b"]


def test_a_tree_that_is_not_there_is_an_error_and_not_at_head(tmp_path):
    schema = {"database": "glance", "versions": ["glance/versions"]}
    answer = schema_state.main({"python": str(tmp_path), "schemas": [schema]})
    reason = f"{tmp_path}/glance/versions is missing: is the service's package installed?"
    assert answer == {"glance": {"error": f"RuntimeError: {reason}"}}


def test_a_tree_without_migrations_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="no migration found below"):
        schema_state.heads([str(tmp_path)])


# sqlalchemy-migrate, as old releases have it


def repository(folder, name, *files):
    """Write a repository with these migrations, and return its folder."""
    (folder / "versions").mkdir(parents=True)
    (folder / "migrate.cfg").write_text(
        "# %(dbname)s is no value to fill in.\n"
        f"[db_settings]\nrepository_id={name}\nversion_table=migrate_version\nrequired_dbs=[]\n"
    )
    for file in files:
        (folder / "versions" / file).touch()
    return str(folder)


class Database:
    """Stands in for a connection of pymysql, and its cursor: a table's name -> its rows."""

    def __init__(self, **tables):
        self.tables, self.rows = tables, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cursor(self):
        return self

    def close(self):
        pass

    def execute(self, statement):
        show = statement.startswith("SHOW TABLES LIKE ")
        name = statement.split()[-1].strip("'")
        self.rows = [(name,)] * (name in self.tables) if show else list(self.tables[name])

    def fetchone(self):
        return self.rows[0] if self.rows else None

    def fetchall(self):
        return self.rows


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A function: the answer for one database with these tables."""

    def state(trees, left_out=None, **tables):
        connect = lambda **_: Database(**tables)  # noqa: E731
        monkeypatch.setattr(schema_state, "pymysql", types.SimpleNamespace(connect=connect))
        schema = {"database": "db", "host": "", "user": "", "password": "", "versions": trees}
        schema.update({"left_out": left_out} if left_out else {})
        return schema_state.main({"python": str(tmp_path), "schemas": [schema]})["db"]

    return state


def test_a_repository_is_at_its_highest_number(state, tmp_path):
    files = ("__init__.py", "001_a.py", "9_early.py", "109_last.py", "110.pyc", "notes.txt")
    tree = repository(tmp_path / "repo", "Glance Migrations", *files)
    rows = [("Glance Migrations", 45), ("oauth1", 5)]
    assert state([tree], migrate_version=rows) == {
        "heads": ["Glance Migrations:109"],
        "found": ["Glance Migrations:045"],
    }


def test_a_migration_may_be_sql(state, tmp_path):
    tree = repository(tmp_path / "repo", "nova", "346_a.py", "347_sqlite_upgrade.sql")
    assert state([tree], migrate_version=[("nova", 347)]) == {"heads": ["nova:347"], "found": ["nova:347"]}


def test_several_repositories_share_a_table(state, tmp_path):
    names = ("keystone", "keystone_expand", "keystone_data_migrate", "keystone_contract")
    trees = [repository(tmp_path / name, name, "071_placeholder.py") for name in names]
    assert state(trees, migrate_version=[(name, 71) for name in reversed(names)]) == {
        "heads": sorted(f"{name}:071" for name in names),
        "found": sorted(f"{name}:071" for name in names),
    }
    # Killed after the first one.
    assert state(trees, migrate_version=[("keystone", 71)])["found"] == ["keystone:071"]


def test_a_database_without_tables_is_at_nothing(state, tmp_path):
    tree = repository(tmp_path / "repo", "cinder", "132_a.py")
    assert state([tree]) == {"heads": ["cinder:132"], "found": []}
    alembic = migrations(tmp_path / "alembic", a="revision = 'a'\ndown_revision = None\n")
    assert state(alembic) == {"heads": ["a"], "found": []}
    # Today's glance has such a table from its past: alembic's counts.
    found = state(alembic, migrate_version=[("Glance Migrations", 45)], alembic_version=[("a",)])
    assert found == {"heads": ["a"], "found": ["a"]}


def test_a_repository_without_migrations_is_an_error(state, tmp_path):
    tree = repository(tmp_path / "repo", "cinder", "__init__.py")
    assert state([tree]) == {"error": f"RuntimeError: no migration found below {tree}"}


def test_the_way_that_db_sync_does_not_go(state, tmp_path):
    """glance of Ocata has two ways to the same tables."""
    tree = migrations(
        tmp_path / "versions",
        mitaka02="revision = 'mitaka02'\ndown_revision = None\n",
        ocata01="revision = 'ocata01'\ndown_revision = 'mitaka02'\n",
        expand="revision = 'ocata_expand01'\ndown_revision = 'mitaka02'\n",
        contract="revision = 'ocata_contract01'\ndown_revision = 'mitaka02'\ndepends_on = 'expand'\n",
    )
    left_out = ["ocata_expand01", "ocata_contract01"]
    found = state(tree, left_out, alembic_version=[("ocata01",)])
    assert found == {"heads": ["ocata01"], "found": ["ocata01"]}


# -- what all of them need


@pytest.mark.parametrize("path", sorted(program.FOLDER.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_a_program_runs_on_the_oldest_python_it_meets(path):
    """EL 9 has 3.9. Where EL 7's 3.6 is asked, an operator's own Python is only on the controller."""
    everywhere = ("verify_host", "smoke_host", "smoke_probe", "server_probe")
    oldest = (3, 6) if path.stem in everywhere else (3, 9)
    _, least = vermin.detect(path.read_text())
    assert least <= oldest


def test_what_a_younger_python_brought_is_noticed():
    _, least = vermin.detect("import datetime\ndatetime.datetime.now(datetime.UTC)\n")
    assert least == (3, 11)


# -- verify_host


def test_listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert verify_host.listening("127.0.0.1", port) is None
    assert "refused" in verify_host.listening("127.0.0.1", port)


def test_a_closed_port_and_a_broken_tool_hide_nothing_else(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError(2, "No such file or directory", "systemctl")

    monkeypatch.setattr(verify_host.subprocess, "run", missing)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        request = {
            "ports": [["127.0.0.1", port]],
            "units": ["chrony"],
            "volume_group": None,
            "bridge": None,
            "patience": 0,
            "yum": False,
        }
        answer = verify_host.main(request)
    assert answer["ports"] == {f"127.0.0.1:{port}": None}
    assert answer["units"]["error"].startswith("FileNotFoundError: ")
    assert answer["volume_group"] is None


def tool(monkeypatch, **outputs):
    """Stand in for the tools: name -> standard output, or a text that begins with "!" for an error."""

    def run(argv, **_):
        text = outputs[argv[0]]
        wrong = text.startswith("!")
        return subprocess.CompletedProcess(argv, int(wrong), "" if wrong else text, text[1:] if wrong else "")

    monkeypatch.setattr(verify_host.subprocess, "run", run)


def test_units_in_the_order_of_the_question(monkeypatch):
    tool(
        monkeypatch,
        systemctl="Id=mariadb.service\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNRestarts=2\n"
        "\nId=none.service\nActiveState=inactive\nSubState=dead\nUnitFileState=\nNRestarts=0\n",
    )
    assert verify_host.units(["mysql", "none"]) == {
        "mysql": {"active": "active", "sub": "running", "enabled": "enabled", "restarts": 2},
        "none": {"active": "inactive", "sub": "dead", "enabled": "", "restarts": 0},
    }
    assert verify_host.units([]) == {}


def report(kind, *rows):
    return json.dumps({"report": [{kind: list(rows)}]})


@pytest.mark.parametrize(
    ("volumes", "answer"),
    [
        ([], {"size": 100, "free": 60, "volumes": 0, "pool": None}),
        (
            [{"lv_attr": "-wi-a-----", "data_percent": ""}],
            {"size": 100, "free": 60, "volumes": 1, "pool": None},
        ),
        (
            [
                {"lv_attr": "twi-aotz--", "data_percent": "12.50"},
                {"lv_attr": "Vwi-aotz--", "data_percent": "99.00"},
            ],
            {"size": 100, "free": 60, "volumes": 1, "pool": 12.5},
        ),
    ],
)
def test_a_volume_group(monkeypatch, volumes, answer):
    group = {"vg_size": "100", "vg_free": "60", "lv_count": str(len(volumes))}
    tool(monkeypatch, vgs=report("vg", group), lvs=report("lv", *volumes))
    assert verify_host.volume_group("cinder-volumes") == answer


def test_what_open_vswitchs_datapath_can_track(monkeypatch):
    answer = "Masked set action: Yes\nConntrack clear: Yes\nCT state: Yes\nCT zone: No\nCT state NAT: Yes\n"
    # Seen at the end of a deploy: the agent was still to make its bridge.
    missing = "no such bridge\novs-appctl: ovs-vswitchd: server returned an error\n"
    answers = [(2, "", missing), (0, answer, "")]

    def run(argv, **_):
        assert argv == ["ovs-appctl", "--timeout=10", "dpif/show-dp-features", "br-int"]
        return subprocess.CompletedProcess(argv, *answers.pop(0))

    monkeypatch.setattr(verify_host.subprocess, "run", run)
    monkeypatch.setattr(verify_host.time, "sleep", lambda seconds: None)
    assert verify_host.tracking("br-int", 60) == {"CT state": True, "CT zone": False, "CT state NAT": True}
    assert verify_host.tracking(None, 60) is None
    answers[:] = [(2, "", missing)]
    with pytest.raises(RuntimeError, match="no such bridge"):
        verify_host.tracking("br-int", 0)


def test_no_volume_group(monkeypatch):
    tool(monkeypatch, vgs='!  Volume group "cinder-volumes" not found\n')
    answer = verify_host.main(
        {
            "ports": [],
            "units": [],
            "volume_group": "cinder-volumes",
            "bridge": None,
            "patience": 0,
            "yum": False,
        }
    )
    assert answer["volume_group"] == {"error": 'RuntimeError: Volume group "cinder-volumes" not found'}


def test_yums_files_and_keys(monkeypatch, tmp_path):
    repo = tmp_path / "a.repo"
    repo.write_text("[a]\n")
    monkeypatch.setattr(verify_host.glob, "glob", lambda _: [str(repo)])
    listed = "pub:-:\nfpr:::::::::B2:\nsub:-:\nfpr:::::::::C3:\npub:-::\nfpr:::::::::A1:\n"

    def run(argv, **options):
        assert argv[0] != "gpg" or options["input"] == b"keys"
        return subprocess.CompletedProcess(argv, 0, {"rpm": b"keys", "gpg": listed.encode()}[argv[0]])

    monkeypatch.setattr(verify_host.subprocess, "run", run)
    answer = verify_host.yum(True)
    assert answer["imported"] == ["A1", "B2"]
    assert answer["files"][str(repo)] == "[a]\n"
    assert verify_host.yum(False) is None


# -- upgrade_checks


def upgrade_checks(fakes="", path="/usr/bin:/bin", **checks):
    """The answer of the program as it is sent, but for services' users, which are only on a controller."""
    text = text_of("upgrade_checks", {"checks": checks})
    users = (
        "SHARED = ()\n"
        "class Account: pw_uid, pw_gid, pw_dir = os.getuid(), os.getgid(), '/nowhere'\n"
        "pwd.getpwnam = lambda user: Account\n"
        "os.initgroups = os.setuid = os.setgid = lambda *_: None\n"
    )
    before, call = text.rsplit("\nimport json\n", 1)
    ran = subprocess.run(
        [sys.executable, "-", "upgrade_checks"],
        input=f"{before}\n{users}{fakes}\nimport json\n{call}",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PATH": path},
    )
    return Program().process(ran.stdout.splitlines())


@pytest.mark.parametrize(
    ("body", "status", "output"),
    [
        ("print('| Result: Success |'); return 0", 0, "| Result: Success |\n"),
        ("return None", 0, ""),
        ("return 1", 1, ""),
        ("sys.exit(2)", 2, ""),
        ("sys.exit('wrong')", 1, ""),
        ("print('now', file=sys.stderr); raise ValueError('broken')", 255, "ValueError: broken"),
        # More than a pipe holds; the end is kept.
        ("print('x' * 300000 + 'end'); return 0", 0, "x" * 19996 + "end\n"),
    ],
)
def test_an_upgrade_check_runs_in_a_process_of_its_own(body, status, output):
    fakes = (
        "def entry_point(command):\n"
        "    assert (command, sys.argv) == ('nova-status', ['nova-status', 'upgrade', 'check'])\n"
        f"    def check():\n        {body}\n"
        "    return check\n"
    )
    answer = upgrade_checks(fakes, nova="nova-status")["nova"]
    assert answer["status"] == status
    assert output in answer["output"]


def test_a_check_that_hangs_takes_no_other_along(tmp_path):
    """It is ended with what it has started, and the others' results stay."""
    mark = tmp_path / "pid"
    fakes = (
        "TIMEOUT = 5\n"
        "def entry_point(command):\n"
        "    def check():\n"
        "        if command == 'glance-status':\n"
        "            return 0\n"
        "        print('asking the database', flush=True)\n"
        f"        os.execv('/bin/sh', ['sh', '-c', 'sleep 50 & echo $! >{mark}; wait'])\n"
        "    return check\n"
    )
    answer = upgrade_checks(fakes, cinder="cinder-status", glance="glance-status")
    assert answer == {
        "cinder": "it had not ended after 5 seconds: asking the database\n",
        "glance": {"status": 0, "output": ""},
    }
    until_it_ends(int(mark.read_text()))


def until_it_ends(pid):
    """A killed process is there until somebody asks for it; where nobody does, as a zombie."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} is there")


def test_a_check_of_another_python_is_a_command(tmp_path):
    """EL 7's services are in Python 2: this interpreter knows nothing of them."""
    command = tmp_path / "nova-status"
    command.write_text('#!/bin/sh\necho "$0 $*"\nexit 1\n')
    command.chmod(0o755)
    answer = upgrade_checks(path=f"{tmp_path}:/usr/bin:/bin", nova="nova-status")["nova"]
    assert answer == {"status": 1, "output": f"{command} upgrade check\n"}
