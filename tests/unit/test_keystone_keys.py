"""Keystone's keys on several controllers: who makes them, who copies whose, what a rotation does."""

import base64
import copy
import hashlib
import itertools
import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import time

import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState, parse_commands
from pyinfra_testing.util import create_host

from cloud import keystone_keys
from cloud.keystone_keys import Plan, Refusal
from facts.program import FOLDER, Program, text_of
from facts.reading import Unreadable
from operations import keystone as operations
from operations.remote import keystone_keys as program

CONTROLLERS = ["c1", "c2", "c3"]
FAILED = ["report", [], {}]
LIFE = 3600 + 172800
OLD = LIFE + keystone_keys.SPARE + 1


def repository(ages=None, wrong=(), **keys):
    """A repository's answer; ``_1="a"`` is key 1 with the digest a, new unless ``ages`` tells."""
    keys = {name[1:]: digest for name, digest in keys.items()}
    given = {name: {"sha256": digest, "age": (ages or {}).get(name, 5)} for name, digest in keys.items()}
    return {"keys": given, "wrong": list(wrong)}


def answer(fernet, credential=None, lifetime=LIFE):
    return {"fernet": fernet, "credential": credential or fernet, "lifetime": lifetime}


def answers(**fernet):
    return {name: answer(found) for name, found in fernet.items()}


NONE = repository()
UNFINISHED = repository(_0="x")
MADE = repository(_0="b", _1="a")
NEXT = repository(_0="c", _2="b", _1="a")
# Between a rotation's two steps, on the host that rotates and on one that is written.
HALF = repository(_0="b", _2="b", _1="a")
OTHER = repository(_0="y", _1="z")


def plan(controllers=CONTROLLERS, **fernet):
    return keystone_keys.plan("fernet", controllers, answers(**fernet))


# -- who makes them, and whose count


def test_the_first_keys():
    assert plan(c1=NONE, c2=NONE, c3=NONE) is None
    assert plan(c1=NONE, c2=UNFINISHED, c3=NONE) is None
    assert plan(["c1"], c1=NONE) is None


@pytest.mark.parametrize("found", [{"c1": NONE, "c3": NONE}, {"c1": UNFINISHED, "c3": NONE}, {"c3": NONE}])
def test_none_are_made_where_some_may_be(found):
    with pytest.raises(Refusal, match=r"c2 could not be asked: .* without --limit"):
        plan(**found)


def test_all_are_in_step():
    assert plan(c1=MADE, c2=MADE, c3=MADE) == Plan("c1", [])
    assert plan(["c1"], c1=MADE) == Plan("c1", [])


def test_who_has_none_gets_them():
    assert plan(c1=MADE, c2=NONE, c3=NONE) == Plan("c1", ["c2", "c3"])
    assert plan(c1=NONE, c2=MADE, c3=UNFINISHED) == Plan("c2", ["c1", "c3"])


def test_the_newest_rotation_counts():
    assert plan(c1=MADE, c2=NEXT, c3=MADE) == Plan("c2", ["c1", "c3"])
    # Killed in the middle of writing c1: its staged key is the primary one, too.
    assert plan(c1=HALF, c2=NEXT, c3=MADE) == Plan("c2", ["c1", "c3"])
    # A new controller, killed after its first keys.
    assert plan(c1=repository(_2="b"), c2=NEXT, c3=NEXT) == Plan("c2", ["c1"])


def test_of_equals_the_one_with_more_keys_counts():
    assert plan(c1=repository(_0="c", _2="b"), c2=NEXT, c3=NEXT) == Plan("c2", ["c1"])


def test_a_rotation_that_ended_early_gets_its_staged_key():
    assert plan(c1=HALF, c2=MADE, c3=MADE) == Plan("c1", CONTROLLERS, mend=True)
    # keystone-manage's own rotation, killed between its renames.
    assert plan(["c1"], c1=repository(_1="a", _2="b")) == Plan("c1", ["c1"], mend=True)
    # Another controller may have it.
    assert plan(c1=HALF, c2=MADE) == Plan("c1", ["c2"])
    assert plan(c1=HALF) == Plan("c1", [])


def test_a_limited_run_leaves_keys_as_they_are():
    assert plan(c2=MADE) == Plan("c2", [])
    assert plan(c2=MADE, c3=NONE) == Plan("c2", ["c3"])


def test_owner_and_permissions():
    assert plan(c1=MADE, c2={**MADE, "wrong": ["1"]}, c3=MADE) == Plan("c1", ["c2"])
    assert plan(["c1"], c1={**MADE, "wrong": ["."]}) == Plan("c1", ["c1"])


def test_different_histories():
    with pytest.raises(
        Refusal, match=r"c1 and c2 have different fernet keys: key 1, .*fernet-keys away \(tok"
    ):
        plan(c1=MADE, c2=OTHER, c3=NONE)
    with pytest.raises(Refusal, match=r"c2 and c1 .*credential-keys away \(credentials"):
        keystone_keys.plan("credential", CONTROLLERS, answers(c1=OTHER, c2=NEXT, c3=NEXT))
    # Both rotated twice by hand: they have a key in common, and sign with different ones.
    twice = [repository(_0=f"{n}0", _3=f"{n}3", _2="b", _1="a") for n in "pq"]
    with pytest.raises(Refusal, match=r"c1 and c2 .*key 3"):
        plan(c1=twice[0], c2=twice[1], c3=NEXT)


def test_same():
    assert not keystone_keys.apart("fernet", answers(c1=NEXT, c2=NEXT))
    assert keystone_keys.apart("fernet", answers(c1=MADE, c2=NEXT, c3=NONE)) == ["c1", "c3"]
    assert keystone_keys.apart("fernet", answers(c1=MADE, c2=NEXT))
    # The controllers that have none are the same, but not as wanted.
    assert keystone_keys.apart("fernet", answers(c1=NONE))


# -- rotation


def test_a_rotation_needs_all_of_them_in_step():
    keystone_keys.ready_to_rotate("fernet", CONTROLLERS, answers(c1=MADE, c2=MADE, c3=MADE))
    with pytest.raises(Refusal, match="c3 could not be asked"):
        keystone_keys.ready_to_rotate("fernet", CONTROLLERS, answers(c1=MADE, c2=MADE))
    with pytest.raises(Refusal, match="the fernet keys of c2 are not those of the others"):
        keystone_keys.ready_to_rotate("fernet", CONTROLLERS, answers(c1=NEXT, c2=MADE, c3=NEXT))


def test_a_rotation_promotes_the_staged_key():
    keys = {"0": ("B", 20), "1": ("A", 10), "2": ("Z", 15)}
    after = keystone_keys.rotated(keys, "C", 30)
    assert after == {"0": ("C", 30), "3": ("B", 20), "2": ("Z", 15), "1": ("A", 10)}
    assert keystone_keys.rotated(keys, "C", 30, ["1"]) == {"0": ("C", 30), "3": ("B", 20), "2": ("Z", 15)}
    assert keystone_keys.mended({"3": ("B", 20)}, "C", 30) == {"0": ("C", 30), "3": ("B", 20)}


def test_ten_rotations_in_a_minute_remove_nothing():
    ages = {str(number): 60 - 6 * number for number in range(11)}
    many = repository(ages, **{f"_{number}": f"{number}" for number in range(11)})
    assert keystone_keys.outlived("fernet", answers(c1=many, c2=many)) == []
    assert keystone_keys.outlived("credential", answers(c1=many)) == []


def test_a_key_goes_when_its_successor_has_signed_long_enough():
    keys = {"_0": "d", "_3": "c", "_2": "b", "_1": "a"}
    old = repository({"1": OLD * 9, "2": OLD, "3": LIFE}, **keys)
    # Key 2 signed until key 3 came. The primary one and the staged one stay, however old.
    assert keystone_keys.outlived("fernet", answers(c1=old)) == ["1"]
    ancient = repository(dict.fromkeys("0123", OLD * 9), **keys)
    assert keystone_keys.outlived("fernet", answers(c1=ancient, c2=ancient)) == ["1", "2"]
    # One was told of key 2 a minute ago: until then it signed with key 1.
    late = repository({"1": OLD * 9, "2": 60, "3": 60}, **keys)
    assert keystone_keys.outlived("fernet", answers(c1=ancient, c2=late)) == []
    # Tokens that live longer.
    assert keystone_keys.outlived("fernet", {"c1": answer(old, lifetime=LIFE + 60)}) == []
    # Credentials are encrypted again.
    assert keystone_keys.outlived("credential", answers(c1=old)) == ["1", "2"]
    # An operator has removed some by hand.
    gaps = repository({"4": OLD, "9": 5}, _0="d", _1="a", _4="b", _9="c")
    assert keystone_keys.outlived("fernet", answers(c1=gaps)) == ["1"]


def test_a_new_key_is_a_fernet_key():
    assert len(base64.urlsafe_b64decode(keystone_keys.new_key())) == 32
    assert keystone_keys.new_key() != keystone_keys.new_key()


# -- the program, on real folders

ME = pwd.getpwuid(os.getuid()).pw_name
S, T, U = ("S" * 43 + "=", 3_000_000_000), ("T" * 43 + "=", 2_000_000_000), ("U" * 43 + "=", 1_000_000_000)
BEFORE = {"0": T, "1": U}
AFTER = {"0": S, "2": T, "1": U}


@pytest.fixture(autouse=True)
def no_disk(monkeypatch):
    """A kill is no power cut: without waiting for the disk these tests take seconds."""
    monkeypatch.setattr(program.os, "fsync", lambda handle: None)


def fill(folder, keys):
    for name, (text, _) in keys.items():
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)


def held(folder):
    """What keystone reads: every file whose name is a number."""
    files = folder.iterdir() if folder.is_dir() else ()
    return {path.name: path.read_text() for path in files if path.is_file() and path.name.isdigit()}


def texts(keys):
    return {name: text for name, (text, _) in keys.items()}


def look(folder):
    asked = {"do": "look", "folders": {"fernet": str(folder)}, "user": ME, "config": []}
    return program.main(asked)["fernet"]


def write(folder, keys):
    return program.main({"do": "write", "folder": str(folder), "user": ME, "keys": keys})


def test_a_look_shows_no_key(tmp_path):
    fill(tmp_path / "keys", BEFORE)
    (tmp_path / "keys" / "0.tmp").write_text("a rotation that was killed")
    found = look(tmp_path / "keys")
    assert {name: key["sha256"] for name, key in found["keys"].items()} == {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts(BEFORE).items()
    }
    assert all(0 <= key["age"] < 60 for key in found["keys"].values())
    assert found["wrong"] == []
    assert look(tmp_path / "none") == {"keys": {}, "wrong": []}


def test_what_is_wrong_with_a_repository(tmp_path):
    fill(tmp_path / "keys", BEFORE)
    (tmp_path / "keys").chmod(0o755)
    (tmp_path / "keys" / "1").chmod(0o644)
    (tmp_path / "keys" / "2").write_text("")
    found = look(tmp_path / "keys")
    assert (sorted(found["keys"]), found["wrong"]) == (["0", "1"], [".", "1", "2"])
    write(tmp_path / "keys", BEFORE)
    assert (held(tmp_path / "keys"), look(tmp_path / "keys")["wrong"]) == (texts(BEFORE), [])
    # Before keystone's package is there nothing is.
    asked = {"do": "look", "folders": {"fernet": "/nonexistent"}, "user": "no-such-user", "config": []}
    assert program.main(asked) == {"fernet": {"keys": {}, "wrong": []}, "lifetime": LIFE}


def test_how_long_a_token_lives(tmp_path):
    def lifetime(*files):
        return program.lifetime([str(file) for file in files])

    conf, more = tmp_path / "keystone.conf", tmp_path / "keystone.conf.d"
    assert lifetime(conf, more) == 3600 + 172800
    conf.write_text("expiration = 1\n[token]\n#expiration = 2\nexpiration = 7200\n[other]\nexpiration = 3\n")
    assert lifetime(conf, more) == 7200 + 172800
    more.mkdir()
    (more / "a.conf").write_text("[token]\nallow_expired_window: 0\nexpiration=60\n")
    assert lifetime(conf, more) == 60


def test_keys_are_fetched_and_written_as_they_are(tmp_path):
    write(tmp_path / "c1", AFTER)
    fetched = program.main({"do": "fetch", "folder": str(tmp_path / "c1")})
    assert fetched == {name: list(key) for name, key in AFTER.items()}
    write(tmp_path / "c2", fetched)
    assert program.main({"do": "fetch", "folder": str(tmp_path / "c2")}) == fetched
    assert stat.S_IMODE((tmp_path / "c2").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "c2").iterdir()} == {0o600}
    # Those that are there are not touched: their age counts.
    places = {path.name: path.stat().st_ino for path in (tmp_path / "c2").iterdir()}
    write(tmp_path / "c2", fetched)
    assert {path.name: path.stat().st_ino for path in (tmp_path / "c2").iterdir()} == places


def test_an_empty_repository_is_never_written(tmp_path):
    fill(tmp_path, BEFORE)
    for keys in ({}, {"0": S}):
        with pytest.raises(SystemExit, match="no primary key is given"):
            write(tmp_path, keys)
    assert held(tmp_path) == texts(BEFORE)


# Runs the program, and kills itself before the step of a given number.
KILLED = """
import itertools, json, os, signal, sys

def counted(call):
    def run(*arguments, **keywords):
        if next(count) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **keywords)
    return run

sys.path.insert(0, sys.argv[1])
import keystone_keys
os.fsync = lambda handle: None
step, request, count = int(sys.argv[2]), json.load(sys.stdin), itertools.count()
for name in ("mkdir", "open", "chown", "fchown", "chmod", "fsync", "utime", "rename", "unlink", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
keystone_keys.main(request)
"""


def killed(step, folder, keys):
    """Whether a write was killed before its step of that number."""
    asked = {"do": "write", "folder": str(folder), "user": ME, "keys": keys}
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", KILLED, FOLDER, str(step)],
        input=json.dumps(asked),
        text=True,
        check=False,
        timeout=30,
    )
    assert ran.returncode in (0, -signal.SIGKILL)
    return ran.returncode != 0


def primary(keys):
    return keys[max(keys, key=int)]


@pytest.mark.parametrize("before", [BEFORE, {**BEFORE, "2": T}, {}])
def test_killed_at_any_step(tmp_path, before):
    """At each moment what signs here is known to all, those that were written and those that were not."""
    others = [texts(BEFORE), texts(AFTER)]
    for step in itertools.count():
        folder = tmp_path / str(step)
        fill(folder, before)
        if not killed(step, folder, AFTER):
            break
        now = held(folder)
        assert all(len(text) == 44 for text in now.values())
        if now:
            assert all(primary(now) in known.values() for known in others)
        if before:
            # What the others sign with, and what was signed here before.
            assert all(primary(known) in now.values() for known in others)
            assert set(texts(before).values()) <= set(now.values())
        # The next run takes it for behind, unless all was done, and heals it.
        answered = {"c1": answer(look(folder)), "c2": answer(look_of(tmp_path / "source", AFTER))}
        found = keystone_keys.plan("fernet", ["c1", "c2"], answered)
        assert found.behind == ([] if now == texts(AFTER) else ["c1"])
        write(folder, AFTER)
        assert sorted(path.name for path in folder.iterdir()) == sorted(AFTER)
        assert held(folder) == texts(AFTER)
    assert step > 10
    assert held(folder) == texts(AFTER)


def test_a_removal_killed_at_any_step(tmp_path):
    kept = {name: key for name, key in AFTER.items() if name != "1"}
    for step in itertools.count():
        folder = tmp_path / str(step)
        fill(folder, AFTER)
        ended = not killed(step, folder, kept)
        assert texts(kept).items() <= held(folder).items() <= texts(AFTER).items()
        if ended:
            break
    assert step > 2
    assert held(folder) == texts(kept)


def look_of(folder, keys):
    if not folder.exists():
        write(folder, keys)
    return look(folder)


def test_a_kill_leaves_nothing_that_keystone_reads(tmp_path):
    """keystone opens each file, and one of root's would be an error: what is unfinished lies in a folder."""
    for step in itertools.count():
        folder = tmp_path / str(step)
        fill(folder, BEFORE)
        if not killed(step, folder, AFTER):
            break
        assert all(path.name.isdigit() for path in folder.iterdir() if path.is_file())


class Cluster:
    """Controllers with real repositories, and the operations' way through them, without pyinfra."""

    def __init__(self, folder):
        self.folders = {name: folder / name for name in CONTROLLERS}

    def answers(self, age=None):
        found = {name: look(folder) for name, folder in self.folders.items()}
        for keys in found.values():
            for key in keys["keys"].values():
                key["age"] = key["age"] if age is None else age
        return answers(**found)

    def fetch(self, name):
        return program.main({"do": "fetch", "folder": str(self.folders[name])})

    def step(self, kill=None):
        """Bring all in step; ``kill``: (controller, step) at which the run ends."""
        found = keystone_keys.plan("fernet", CONTROLLERS, self.answers())
        keys = self.fetch(found.source)
        if found.mend:
            keys = keystone_keys.mended(keys, keystone_keys.new_key(), time.time_ns())
        return self._write(found.behind, keys, kill)

    def rotate(self, kill=None, age=None):
        assert self.step()
        keystone_keys.ready_to_rotate("fernet", CONTROLLERS, self.answers())
        drop = keystone_keys.outlived("fernet", self.answers(age))
        new = keystone_keys.rotated(self.fetch("c1"), keystone_keys.new_key(), time.time_ns(), drop)
        return self._write(["c1"], new, kill) and self.step(kill)

    def _write(self, behind, keys, kill):
        for name in behind:
            if kill and kill[0] == name and killed(kill[1], self.folders[name], keys):
                return False
            write(self.folders[name], keys)
        return True

    def signs(self):
        """Every controller's token: accepted by all of them."""
        tokens = {primary(held(folder)) for folder in self.folders.values()}
        for folder in self.folders.values():
            assert tokens <= set(held(folder).values())
        return tokens


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path)
    fill(tmp_path / "c2", BEFORE)
    assert cluster.step()
    return cluster


def test_all_get_the_first_keys(cluster):
    assert {str(held(folder)) for folder in cluster.folders.values()} == {str(held(cluster.folders["c2"]))}
    assert cluster.signs() == {U[0]}


def test_a_token_outlives_ten_rotations_in_a_minute(cluster):
    signed = set()
    for _ in range(10):
        signed |= cluster.signs()
        assert cluster.rotate()
        assert all(signed <= set(held(folder).values()) for folder in cluster.folders.values())
    assert len(signed) == 10
    # Days later the last one removes all but the one before it, on every controller.
    assert cluster.rotate(age=OLD)
    assert {tuple(sorted(held(folder), key=int)) for folder in cluster.folders.values()} == {
        ("0", "11", "12")
    }


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_rotation_killed_at_any_step_is_healed_by_the_next_run(cluster, name):
    signed = set()
    for step in itertools.count():
        signed |= cluster.signs()
        ended = cluster.rotate(kill=(name, step))
        signed |= cluster.signs()
        assert all(signed <= set(held(folder).values()) for folder in cluster.folders.values())
        assert cluster.step()
        assert not keystone_keys.apart("fernet", cluster.answers())
        assert len(set(held(cluster.folders["c1"]).values())) == len(held(cluster.folders["c1"]))
        if ended:
            break
    assert step > 10


# -- the operations


@pytest.fixture
def run(monkeypatch):
    """A function: the commands of an operation on a host, for what the controllers have."""

    def run(operation, name, known, executing=True, fetched=None, names=(), asked=None, **arguments):
        monkeypatch.setattr(operations, "answers", copy.deepcopy(known))
        monkeypatch.setattr(operations, "read", lambda *_, **__: list(names))

        def ask(program, **request):
            assert program == "keystone_keys"
            if request["do"] == "look":
                return asked or known.get(name) or Unreadable("no answer")
            return fetched[request["folder"]] if fetched else Unreadable("no answer")

        monkeypatch.setattr(operations, "ask", ask)
        state, host = FakeState(), create_host(FakeState())
        state.is_executing, host.name = executing, name
        monkeypatch.setattr(operations, "state", state)
        with ctx_state.use(state), ctx_host.use(host):
            commands = list(operation._inner(**arguments))
        run.host = host
        return parse_commands(commands)

    monkeypatch.setattr(operations, "taken", {})
    return run


COMMAND = "LC_ALL=C.UTF-8 PYTHONWARNINGS=ignore python3 - keystone_keys"


def written(commands):
    """What one command's standard input asks the program for."""
    (command,) = commands
    assert command["command"] == COMMAND
    stdin = command["_stdin"]
    return next(keys for keys in ({}, BEFORE, AFTER) if stdin == text_of("keystone_keys", request_for(keys)))


def request_for(keys):
    folder = "/etc/keystone/fernet-keys"
    return {"do": "write", "folder": folder, "user": "keystone", "keys": keys}


def test_collect(run):
    assert run(operations.collect, "c1", {}, asked=answer(MADE)) == []
    assert operations.answers == {"c1": answer(MADE)}
    assert run(operations.collect, "c1", answers(c1=MADE), asked=Unreadable("no python3")) == [FAILED]
    assert operations.answers == {}
    # While the plan is made nobody is asked.
    assert run(operations.collect, "c1", {}, executing=False) == []


def make(run, known, **arguments):
    return run(operations.keys, "c1", known, repository="fernet", controllers=CONTROLLERS, **arguments)


def test_keys_are_made_by_one(run):
    setup = ["keystone-manage fernet_setup --keystone-user keystone --keystone-group keystone"]
    assert make(run, answers(c1=NONE, c2=NONE, c3=NONE), asked=answer(MADE)) == setup
    assert operations.answers["c1"] == answer(MADE)
    assert make(run, {}, executing=False) == setup
    rotate = [setup[0].replace("setup", "rotate")]
    assert make(run, answers(c1=UNFINISHED, c2=NONE, c3=NONE), names=["0"]) == rotate


def test_keys_are_not_made_where_there_are_some(run):
    assert make(run, answers(c1=NONE, c2=MADE, c3=NONE)) == []
    assert run.host.noop_description == "c2 has them"
    assert make(run, answers(c1=NONE, c2=NONE)) == [FAILED]
    assert make(run, answers(c1=MADE, c2=OTHER, c3=NONE)) == [FAILED]


FETCHED = dict.fromkeys(keystone_keys.FOLDERS.values(), AFTER)


def take(run, name, known, **arguments):
    return run(operations.take, name, known, controllers=CONTROLLERS, **arguments)


def test_the_newest_keys_are_read_where_others_lack_them(run):
    known = answers(c1=NONE, c2=NEXT, c3=NEXT)
    assert take(run, "c2", known, fetched=FETCHED) == []
    assert operations.taken == {"fernet": AFTER, "credential": AFTER}
    operations.taken.clear()
    assert take(run, "c3", known) == []
    assert take(run, "c1", answers(c1=NEXT, c2=NEXT, c3=NEXT)) == []
    assert take(run, "c1", {}, executing=False) == []
    assert operations.taken == {}
    assert take(run, "c2", known) == [FAILED]
    # Nobody has any, and the first one did not make them.
    assert take(run, "c2", answers(c1=NONE, c2=NONE, c3=NONE)) == [FAILED]
    assert take(run, "c2", answers(c2=NONE, c3=NONE)) == [FAILED]


def test_the_missing_staged_key_is_made(run):
    known = answers(c1=HALF, c2=MADE, c3=MADE)
    assert take(run, "c1", known, fetched={folder: {**AFTER, "0": T} for folder in FETCHED}) == []
    for keys in operations.taken.values():
        assert {name: key for name, key in keys.items() if name != "0"} == {"1": U, "2": T}
        assert keys["0"][0] not in (S[0], T[0], U[0])


def distribute(run, name, known, **arguments):
    given = {"repository": "fernet", "controllers": CONTROLLERS}
    return run(operations.distributed, name, known, **given, **arguments)


def test_keys_are_distributed(run, monkeypatch):
    monkeypatch.setattr(operations, "taken", {"fernet": AFTER})
    known = answers(c1=NONE, c2=NEXT, c3=MADE)
    assert written(distribute(run, "c1", known)) == AFTER
    assert written(distribute(run, "c3", known)) == AFTER
    assert distribute(run, "c2", known) == []
    assert run.host.noop_description == "they are the newest"
    monkeypatch.setattr(operations, "taken", {})
    assert distribute(run, "c1", known) == [FAILED]
    assert distribute(run, "c1", answers(c1=NONE, c2=MADE, c3=OTHER)) == [FAILED]
    # Applied a second time.
    for name in CONTROLLERS:
        assert distribute(run, name, answers(c1=NEXT, c2=NEXT, c3=NEXT)) == []
    # The plan: what a new controller will be sent is known later.
    assert written(distribute(run, "c2", {}, executing=False)) == {}
    assert distribute(run, "c2", {}, executing=False, names=["0", "1"]) == []
    assert distribute(run, "c1", {}, executing=False) == []


def test_keys_are_rotated_on_one(run, monkeypatch):
    monkeypatch.setattr(keystone_keys, "new_key", lambda: S[0])
    monkeypatch.setattr(operations.time, "time_ns", lambda: S[1])
    given = {"repository": "fernet", "controllers": CONTROLLERS}
    known, fetched = answers(c1=MADE, c2=MADE, c3=MADE), dict.fromkeys(FETCHED, BEFORE)
    (command,) = run(operations.rotated, "c1", known, fetched=fetched, asked=answer(NEXT), **given)
    expected = {"0": S, "1": U, "2": T}
    assert command["_stdin"] == text_of("keystone_keys", request_for(expected | {"2": T, "0": S}))
    assert operations.answers["c1"] == answer(NEXT)
    assert run(operations.rotated, "c1", known, **given) == [FAILED]
    assert run(operations.rotated, "c1", answers(c1=MADE, c2=MADE), fetched=fetched, **given) == [FAILED]
    assert run(operations.rotated, "c1", answers(c1=MADE, c2=NONE, c3=MADE), **given) == [FAILED]
    assert written(run(operations.rotated, "c1", {}, executing=False, **given)) == {}


def test_in_step(run):
    given = {"controllers": CONTROLLERS}
    assert run(operations.in_step, "c1", answers(c1=MADE, c2=MADE, c3=MADE), **given) == []
    assert run(operations.in_step, "c1", answers(c1=MADE, c2=MADE), **given) == [FAILED]
    assert run(operations.in_step, "c1", {}, executing=False, **given) == []


def test_no_key_is_in_what_is_printed(run, monkeypatch, tmp_path):
    """Of a command pyinfra prints with -vvv its text and its output, and never the standard input."""
    monkeypatch.setattr(operations, "taken", {"fernet": AFTER})
    (command,) = distribute(run, "c1", answers(c1=NONE, c2=NEXT, c3=NEXT))
    assert S[0] not in command["command"]
    (tmp_path / "file").touch()
    for folder, printed in ((tmp_path / "keys", "answer:{}\n"), (tmp_path / "file", "")):
        asked = {"do": "write", "folder": str(folder), "user": ME, "keys": AFTER}
        ran = subprocess.run(
            [sys.executable, "-", "keystone_keys"],
            input=text_of("keystone_keys", asked),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stdout == printed
        assert not any(text in ran.stderr for text in texts(AFTER).values())
    assert Program().command("keystone_keys") == COMMAND
