"""The programs that run on the hosts: how they travel, and what they work out there."""

import json
import socket
import subprocess
import sys
import types

import pytest

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
        {"ports": [], "units": [], "volume_group": "cinder-volumes", "bridge": None, "patience": 0}
    )
    assert answer["volume_group"] == {"error": 'RuntimeError: Volume group "cinder-volumes" not found'}


# -- upgrade_checks


@pytest.mark.parametrize(
    ("body", "status", "output"),
    [
        ("print('| Result: Success |'); return 0", 0, "| Result: Success |\n"),
        ("return None", 0, ""),
        ("return 1", 1, ""),
        ("sys.exit(2)", 2, ""),
        ("sys.exit('wrong')", 1, ""),
        ("print('now', file=sys.stderr); raise ValueError('broken')", 255, "ValueError: broken"),
    ],
)
def test_an_upgrade_check_runs_in_a_process_of_its_own(body, status, output):
    """As it is sent, with a service's command and its user replaced: both are only on a controller."""
    text = text_of("upgrade_checks", {"checks": {"nova": "nova-status"}})
    fakes = (
        "SHARED = ()\n"
        "def entry_point(command):\n"
        "    assert (command, sys.argv) == ('nova-status', ['nova-status', 'upgrade', 'check'])\n"
        f"    def check():\n        {body}\n"
        "    return check\n"
        "class Account: pw_uid, pw_gid, pw_dir = os.getuid(), os.getgid(), '/nowhere'\n"
        "pwd.getpwnam = lambda user: Account\n"
        "os.initgroups = os.setuid = os.setgid = lambda *_: None\n"
    )
    before, call = text.rsplit("\nimport json\n", 1)
    ran = subprocess.run(
        [sys.executable, "-", "upgrade_checks"],
        input=f"{before}\n{fakes}\nimport json\n{call}",
        capture_output=True,
        text=True,
        check=True,
    )
    answer = Program().process(ran.stdout.splitlines())["nova"]
    assert answer["status"] == status
    assert output in answer["output"]
