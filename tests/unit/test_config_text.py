"""Templates, and configuration files on a real file system: the fact and the write command run under sh."""

import grp
import os
import pwd
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from cloud.templates import TemplateProblem, render
from facts.config import ConfigFile, File
from facts.reading import Unreadable
from operations import config

USER = pwd.getpwuid(os.geteuid()).pw_name
GROUP = grp.getgrgid(os.getegid()).gr_name


@pytest.fixture
def template(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="templates/nova.conf.j2"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
        return name

    return write


def test_render(template):
    src = template("[a]\n{% if on %}\n  {# why #}\nx = {{ cloud.region }}\n{% endif %}\n")
    assert render(src, on=True, cloud=SimpleNamespace(region="RegionOne")) == "[a]\nx = RegionOne\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nx = {{ missing }}\n", "templates/nova.conf.j2:2: 'missing' is undefined"),
        ("x = {{ data.missing }}\n", "templates/nova.conf.j2:1: 'dict object' has no attribute 'missing'"),
        ("\n{% if %}\n", "templates/nova.conf.j2:2: Expected an expression"),
        ("{% include 'templates/no.j2' %}\n", "templates/nova.conf.j2: no template templates/no.j2"),
        ("x = {{ convert('hunter2') }}\n", "templates/nova.conf.j2:1: ValueError"),
    ],
)
def test_render_names_template_line_and_name(template, text, message):
    with pytest.raises(TemplateProblem) as problem:
        render(template(text), data={}, convert=int)
    assert str(problem.value).startswith(message)
    assert "hunter2" not in str(problem.value)


def test_render_without_template(template):
    with pytest.raises(TemplateProblem, match=r"templates/no\.j2: no template"):
        render("templates/no.j2")


def read_here(fact, *, stdin=None, **arguments):
    """``facts.reading.read`` for this machine."""
    done = subprocess.run(["sh", "-c", fact().command(**arguments)], capture_output=True)
    if done.returncode:
        return Unreadable(done.stderr.decode().strip())
    return fact().process(done.stdout.decode().removesuffix("\n").split("\n"))


class Here:
    """Runs an operation's commands on this machine."""

    def __init__(self):
        self.noops, self.path = [], os.environ["PATH"]
        self.host = SimpleNamespace(noop=self.noops.append, print_prefix="")
        self.state = SimpleNamespace(config=SimpleNamespace(DIFF=True))

    def run(self, operation, *, cut=None, **arguments):
        """Exit statuses, one for each command; ``cut`` ends standard input early, as a broken connection."""
        arguments = {"user": USER, "group": GROUP, **arguments}
        return [self.execute(command, cut) for command in operation._inner(**arguments)]

    def execute(self, command, cut):
        content = command.connector_arguments["_stdin"].encode()[:cut]
        shell = ["sh", "-c", command.get_raw_value()]
        return subprocess.run(shell, input=content, env={"PATH": self.path}).returncode

    def stub(self, folder, program, script):
        """Put ``script`` in front of a program: it sees the files in between two steps."""
        folder.mkdir(exist_ok=True)
        stub = folder / program
        stub.write_text(f'#!/bin/sh\n{script}\nPATH={os.environ["PATH"]} exec {program} "$@"\n')
        stub.chmod(0o755)
        self.path = f"{folder}:{self.path}"


@pytest.fixture
def here(monkeypatch):
    here = Here()
    monkeypatch.setattr(config, "read", read_here)
    monkeypatch.setattr(config, "host", here.host)
    monkeypatch.setattr(config, "state", here.state)
    return here


def mode(path):
    return f"{path.stat().st_mode & 0o7777:o}"


def test_merge_twice(here, template, tmp_path, caplog):
    src = template("[DEFAULT]\ntransport_url = {{ url }}\n[api]\nworkers = 2\n")
    dest = tmp_path / "nova.conf"
    dest.write_text("[DEFAULT]\n# kept\n#transport_url = rabbit://\ndebug = false\n")
    dest.chmod(0o644)
    arguments = {
        "src": src,
        "dest": str(dest),
        "url": "rabbit://openstack:hunter2@mq",
        "overrides": {str(dest): {"api": {"workers": 4}}, "/etc/other": {"api": {"workers": 8}}},
    }
    caplog.set_level("INFO")
    assert here.run(config.merge, **arguments) == [0]
    assert dest.read_text() == (
        "[DEFAULT]\n# kept\n#transport_url = rabbit://\ntransport_url = rabbit://openstack:hunter2@mq\n"
        "debug = false\n\n[api]\nworkers = 4\n"
    )
    assert mode(dest) == "640"
    assert [record.getMessage().strip() for record in caplog.records] == [
        f"Will change {dest}",
        "[DEFAULT] transport_url",
        "[api] workers",
        "mode 644 → 640",
    ]

    before = dest.stat()
    assert here.run(config.merge, **arguments) == []
    assert here.noops == [f"{dest} is as wanted"]
    assert (dest.stat().st_ino, dest.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_file_twice_with_directory(here, tmp_path):
    dest = tmp_path / "new dir" / "it's.conf"
    arguments = {"dest": str(dest), "content": "é\n\n  x", "mode": "0604", "directory": True}
    if os.geteuid():
        dest.parent.mkdir()  # only root can give a directory to root
    assert here.run(config.file, **arguments) == [0]
    assert (dest.read_text(), mode(dest), mode(dest.parent)) == ("é\n\n  x\n", "604", "755")
    assert here.run(config.file, **arguments) == []


@pytest.mark.parametrize("content", ["", "\n", "a", "a\r\nb\n"])
def test_file_content_survives(here, tmp_path, content):
    dest = tmp_path / "f"
    assert here.run(config.file, dest=str(dest), content=content) == [0]
    written = dest.read_bytes().decode()
    assert written == (content if content.endswith("\n") or not content else content + "\n")
    assert here.run(config.file, dest=str(dest), content=content) == []


def test_a_missing_last_newline_is_no_change(here, tmp_path):
    dest = tmp_path / "f"
    dest.write_text("a\nb")
    dest.chmod(0o640)
    assert here.run(config.file, dest=str(dest), content="a\nb\n") == []


def test_content_is_private_from_the_first_byte(here, tmp_path):
    dest, new, seen = tmp_path / "f", tmp_path / ".f.pyinfra-new", tmp_path / "seen"
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    new.symlink_to(victim)  # or the world-readable leftover of a killed run
    for program in ("cat", "wc", "chown", "chmod", "mv"):
        here.stub(tmp_path / "bin", program, f'echo {program} $(stat -c %a "{new}") >>"{seen}"')
    umask = os.umask(0)
    try:
        assert here.run(config.file, dest=str(dest), content="secret", mode="644") == [0]
    finally:
        os.umask(umask)
    # cat's output is opened before cat starts.
    assert seen.read_text().split("\n")[:-1] == ["cat 600", "wc 600", "chown 600", "chmod 600", "mv 644"]
    assert victim.read_text() == "untouched"
    assert (mode(dest), dest.is_symlink(), new.exists()) == ("644", False, False)


@pytest.mark.parametrize("program", ["cat", "chown", "chmod", "mv"])
def test_a_failure_leaves_the_old_file_and_no_other(here, tmp_path, program):
    dest = tmp_path / "etc" / "f"
    dest.parent.mkdir()
    dest.write_text("old\n")
    here.stub(tmp_path / "bin", program, "exit 1")
    assert here.run(config.file, dest=str(dest), content="new") == [1]
    assert [(path.name, path.read_text()) for path in dest.parent.iterdir()] == [("f", "old\n")]


def test_a_broken_connection_leaves_the_old_file(here, tmp_path):
    dest = tmp_path / "f"
    dest.write_text("old\n")
    assert here.run(config.file, dest=str(dest), content="[a]\nnew = 1\n", cut=6) == [1]
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("f", "old\n")]


def test_a_link_is_followed_and_stays(here, tmp_path):
    target, link = tmp_path / "plugins" / "ml2_conf.ini", tmp_path / "plugin.ini"
    target.parent.mkdir()
    link.symlink_to("plugins/ml2_conf.ini")
    for content in ("absent at first", "changed"):
        assert here.run(config.file, dest=str(link), content=content) == [0]
        assert link.is_symlink()
        assert target.read_text() == f"{content}\n"
    assert here.run(config.file, dest=str(link), content="changed") == []


def failure(commands, caplog):
    (command,) = commands
    caplog.clear()
    assert command.function(None, SimpleNamespace(print_prefix="")) is False
    return caplog.records[-1].getMessage()


def test_failures_say_what_and_where(here, template, tmp_path, caplog):
    src, dest = template("[a]\nx = {{ y }}\n"), str(tmp_path / "missing" / "nova.conf")

    def merge(**arguments):
        return failure(config.merge._inner(**{"src": src, "dest": dest, "y": 1, **arguments}), caplog)

    assert merge() == (
        f"{dest} has no directory {tmp_path}/missing: the package that owns it is not installed"
    )
    assert merge(dest=str(tmp_path)) == f"{tmp_path} can't be read: {tmp_path}: not a regular file"
    assert merge(overrides={dest: {"a": {"z": {}}}}) == (
        f"config_overrides for {dest}: the override of [a] z can't be written in an INI file"
    )
    template("x = {{ z }}\n")
    assert merge() == f"The template {src} for {dest}: {src}:1: 'z' is undefined"
    template("no option\n")
    assert merge() == f"The template {src} for {dest}: line 1 is not an option, a section or a comment"
    assert failure(config.file._inner(dest=dest), caplog) == (
        f"config.file for {dest} needs either src or content"
    )


def test_fact_absent(tmp_path):
    assert read_here(ConfigFile, path=f"{tmp_path}/f") == File(f"{tmp_path}/f", directory=True, exists=False)
    assert read_here(ConfigFile, path=f"{tmp_path}/no/no/f") == File(
        f"{tmp_path}/no/no/f", directory=False, exists=False
    )


def test_fact_is_unreadable_not_absent(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "fifo")
    assert read_here(ConfigFile, path=f"{tmp_path}/loop") == Unreadable(f"{tmp_path}/loop: link to nowhere")
    assert read_here(ConfigFile, path=f"{tmp_path}/fifo") == Unreadable(
        f"{tmp_path}/fifo: not a regular file"
    )
    assert read_here(ConfigFile, path=f"{tmp_path}/file/f") == Unreadable(f"{tmp_path}/file: not searchable")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", ["f", "no/f"])
def test_fact_without_permission_is_unreadable(tmp_path, name):
    (tmp_path / "f").write_text("secret")
    tmp_path.chmod(0o700)
    command = ConfigFile().command(path=f"{tmp_path}/{name}")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, user=65534, cwd="/")
    assert done.returncode == 1
    assert done.stderr.endswith(": not searchable\n")
