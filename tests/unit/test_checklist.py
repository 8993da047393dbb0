"""The table, whole and in short; and how a run is refused with it."""

from types import SimpleNamespace

import gevent
import pytest
from pyinfra.api.exceptions import DeployError
from pyinfra.context import ctx_host

from cloud.checklist import Line, judged, refused, table, unreadable
from operations import refusal

HOSTS = {
    "controller": [
        Line("memory", "3500 MiB", "16000 MiB"),
        Line("selinux", "disabled", "enforcing", "will be set", "the deploy sets it"),
    ],
    "compute": [
        Line("memory", "900 MiB", "800 MiB", "refused", "give it more"),
        Line("interfaces", "2", "1: eth0 up", "warning", "it works"),
    ],
}
COUNT = "4 checks on 2 hosts: 1 will be set, 1 warnings, 1 refused"


def test_all_lines():
    assert table(HOSTS) == "\n".join(
        [
            "host        check       wanted    found       verdict      cure",
            "----------  ----------  --------  ----------  -----------  ------------------",
            "controller  memory      3500 MiB  16000 MiB   ok",
            "controller  selinux     disabled  enforcing   will be set  the deploy sets it",
            "compute     memory      900 MiB   800 MiB     refused      give it more",
            "compute     interfaces  2         1: eth0 up  warning      it works",
            "",
            COUNT,
        ]
    )


def test_only_what_wants_an_operator():
    lines = table(HOSTS, whole=False).splitlines()
    assert [line.split()[:2] for line in lines[2:-2]] == [["compute", "memory"], ["compute", "interfaces"]]
    assert lines[-1] == COUNT
    good = {"controller": HOSTS["controller"]}
    assert table(good, whole=False) == "2 checks on 1 hosts: 1 will be set, 0 warnings, 0 refused"


def test_a_long_text_is_cut_in_the_table_only():
    line = Line("repositories", "2", "name " * 40, "refused", "cure " * 40)
    (row,) = (row for row in table({"a": [line]}).splitlines() if "name" in row)
    assert "…" in row
    assert row.endswith(("cure " * 40).strip())
    assert line.problem == f"repositories: {'name ' * 40}; {'cure ' * 40}"


def test_a_line_has_a_cure_only_when_it_is_not_good():
    assert judged("login", "root", "root", True, "log in as root") == Line("login", "root", "root")
    wrong = judged("login", "root", "me", False, "log in as root")
    assert refused([wrong, unreadable("disk", "it is gone")]) == [wrong, unreadable("disk", "it is gone")]


@pytest.fixture
def together(monkeypatch):
    """A function: host -> how it ends, when all are asked at once; and the lines that are shown."""
    shown = []
    monkeypatch.setattr(refusal.logger, "info", shown.append)
    for name, empty in (("_asking", set()), ("_lines", {}), ("_shown", set())):
        monkeypatch.setattr(refusal, name, empty)

    def together(hosts, whole=True):
        def ask(lines):
            gevent.sleep(0.01)
            return lines

        def run(name, lines):
            with ctx_host.use(SimpleNamespace(name=name)):
                try:
                    return refusal.together(lambda: ask(lines), whole)
                except DeployError as error:
                    return str(error)

        jobs = [gevent.spawn(run, name, lines) for name, lines in hosts.items()]
        gevent.joinall(jobs)
        return [job.get() for job in jobs], shown

    return together


def test_one_table_and_the_same_message_for_all(together):
    found, shown = together(HOSTS)
    message = "these hosts can't be deployed, nothing was changed on any:"
    assert found == [f"{message}\n  - compute: memory: 800 MiB; give it more"] * 2
    assert shown == table(HOSTS).splitlines()


def test_a_second_batch_has_a_table_of_its_own(together):
    good = {"controller": HOSTS["controller"]}
    assert together(good)[0] == [None]
    found, shown = together({"storage": []}, whole=False)
    assert found == [None]
    assert shown == [*table(good).splitlines(), "0 checks on 1 hosts: 0 will be set, 0 warnings, 0 refused"]
