"""openstack-images: real files and a real HTTP server; glance's database is SQLite behind pymysql's names."""

import errno
import fcntl
import hashlib
import importlib.util
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stub_pymysql
import vermin

PROGRAM = Path(__file__).parents[2] / "operations" / "installed" / "images.py"
IMAGE, OTHER = "6e93596f-e5fa-11f1-adfd-3308848fe398", "11111111-e5fa-11f1-adfd-3308848fe398"
DATA = random.Random(0).randbytes(3_000_000)  # in each run the same
# As glance's migrations make them; what the program does not ask for is left out.
TABLES = """
CREATE TABLE images (
    id VARCHAR(36), status VARCHAR(30), size BIGINT, checksum VARCHAR(32), os_hash_algo VARCHAR(64),
    os_hash_value VARCHAR(128), os_hidden BOOLEAN, visibility VARCHAR(9), deleted BOOLEAN, deleted_at DATETIME
);
CREATE TABLE image_locations (
    id INTEGER PRIMARY KEY, image_id VARCHAR(36), value TEXT, status VARCHAR(30), deleted BOOLEAN
);
"""


class Peer(ThreadingHTTPServer):
    """Another controller's glance, and keystone.

    Attributes:
        files: ID -> content.
        unknown: IDs that it answers 404 to.
        cut: bytes after which it breaks off; None: never.
        paused: it gives the first half, and the rest when this is set.
        calls: (method, path) of what it was asked.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.files, self.unknown, self.calls, self.cut, self.paused = {}, set(), [], None, None
        self.status = 200
        self.streaming = threading.Event()
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    @property
    def downloads(self):
        return [path for method, path in self.calls if method == "GET"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def empty(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        self.server.calls.append(("POST", self.path))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        right = b'"password": "GLANCE_PASS"' in body and b'"name": "service"' in body
        self.empty(201 if right else 401, X_Subject_Token="TOKEN")

    def do_GET(self):
        server, image = self.server, self.path.split("/")[3]
        server.calls.append(("GET", self.path))
        if self.headers["X-Auth-Token"] != "TOKEN":
            self.empty(401)
        elif server.status != 200:
            self.empty(server.status)
        elif image in server.unknown:
            self.empty(404)
        elif image not in server.files:
            self.send_response(204)
            self.end_headers()
        else:
            content = server.files[image]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            half = len(content) // 2
            self.wfile.write(content[: half if server.cut is None else server.cut])
            server.streaming.set()
            if server.paused:
                server.paused.wait(30)
            if server.cut is None:
                self.wfile.write(content[half:])
            else:
                self.close_connection = True


class Controller:
    """This controller: a folder of images, glance's configuration and database, and its peers."""

    def __init__(self, folder, program):
        self.program, self.folder = program, folder / "images"
        self.folder.mkdir()
        self.path = folder / "glance.sqlite"
        self.config = folder / "glance-api.conf"
        self.peers = []
        with self.database() as database:
            database.executescript(TABLES)

    def database(self):
        return sqlite3.connect(self.path)

    def peer(self, **files):
        peer = Peer()
        peer.files = {name.replace("_", "-"): content for name, content in files.items()}
        self.peers.append(peer)
        if len(self.peers) == 1:
            self.configure()
        return peer

    def configure(self, password="GLANCE_PASS", database="GLANCE_DBPASS", backends="file:file,web:http"):
        login = self.peers[0].url if self.peers else "http://192.0.2.1:5000"
        self.config.write_text(
            f"[DEFAULT]\nenabled_backends = {backends}\n"
            f"[database]\nconnection = mysql+pymysql://glance:{database}@192.0.2.1:3306/glance?charset=utf8\n"
            f"[keystone_authtoken]\nauth_url = {login}\nproject_name = service\nusername = glance\n"
            f"password = {password}\nuser_domain_name = Default\nproject_domain_name = Default\n"
            f"[file]\nfilesystem_store_datadir = {self.folder}/\n"
        )

    def image(self, name=IMAGE, data=DATA, status="active", deleted=None, location=None, **columns):
        """A row of glance's. ``deleted``: minutes ago."""
        row = {
            "id": name,
            "status": status,
            "size": len(data),
            "os_hash_algo": "sha512",
            "os_hash_value": hashlib.sha512(data).hexdigest(),
            "deleted": deleted is not None,
            "deleted_at": f"{datetime.now(UTC) - timedelta(minutes=deleted or 0):%Y-%m-%d %H:%M:%S}",
            **columns,
        }
        with self.database() as database:
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO images ({', '.join(row)}) VALUES ({marks})", list(row.values()))
            database.execute(
                "INSERT INTO image_locations (image_id, value, status, deleted) VALUES (?, ?, ?, ?)",
                (name, location or f"file://{self.folder}/{name}", "active", deleted is not None),
            )

    def arguments(self, dead=()):
        return ["--config", str(self.config), *(peer.url for peer in self.peers), *dead]

    def run(self, *arguments, dead=()):
        return self.program.main([*arguments, *self.arguments(dead)])

    def names(self):
        return sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))

    def content(self, name=IMAGE):
        return (self.folder / name).read_bytes()

    def left(self):
        place = self.folder / ".incoming"
        return sorted(path.name for path in place.iterdir() if path.name != "lock") if place.is_dir() else []


@pytest.fixture(scope="module")
def program():
    before = sys.modules.get("pymysql")
    sys.modules["pymysql"] = stub_pymysql
    spec = importlib.util.spec_from_file_location("openstack_images", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if before:
        sys.modules["pymysql"] = before
    else:
        del sys.modules["pymysql"]
    return module


@pytest.fixture
def here(tmp_path, program, monkeypatch):
    here = Controller(tmp_path, program)
    monkeypatch.setenv("STUB_DATABASE", str(here.path))
    monkeypatch.setattr(program, "RESERVE", 0)
    here.configure()
    yield here
    for peer in here.peers:
        if peer.paused:
            peer.paused.set()
        peer.shutdown()
        peer.server_close()


def test_it_runs_on_the_oldest_python_it_meets():
    _, least = vermin.detect(PROGRAM.read_text())
    assert least <= (3, 9)


# -- fetching


@pytest.mark.parametrize("status", ["active", "deactivated"])
def test_a_missing_image_is_fetched(here, status, capsys):
    peer = here.peer(**{IMAGE: DATA})
    # Nobody sees it in a list of the API who does not ask for it.
    here.image(status=status, os_hidden=True, visibility="community")
    assert here.run() == 0
    assert here.content() == DATA
    assert (here.folder / IMAGE).stat().st_mode & 0o777 == 0o640
    assert f"{IMAGE}: fetched from {peer.url}" in capsys.readouterr().err
    assert here.left() == []
    # The second run has nothing to do, and asks nobody: not even for a login.
    peer.calls.clear()
    assert here.run() == 0
    assert peer.calls == []


def test_no_secret_is_said(here, capsys):
    here.peer(**{IMAGE: DATA})
    here.configure(password="SECRET_WRONG", database="SECRET_TOO")
    here.image()
    assert here.run() == 1
    here.configure(password="SECRET_WRONG")
    assert here.run() == 1
    here.config.write_text("[database]\nconnection = SECRET\n]broken = SECRET\n[database\n")
    assert here.run() == 1
    assert "SECRET" not in capsys.readouterr().err


def test_one_that_is_not_whole_is_fetched_anew(here):
    here.peer(**{IMAGE: DATA})
    here.image()
    (here.folder / IMAGE).write_bytes(DATA[:-1])
    assert here.run() == 0
    assert here.content() == DATA


def test_an_empty_image(here):
    """Such as that of instances whose kernel nova boots directly."""
    here.peer(**{IMAGE: b""})
    here.image(data=b"")
    assert here.run() == 0
    assert here.content() == b""


def test_an_image_of_an_old_release(here):
    here.peer(**{IMAGE: DATA, OTHER: DATA[::-1]})
    for name in (IMAGE, OTHER):
        md5 = hashlib.md5(DATA).hexdigest()
        here.image(name, os_hash_algo=None, os_hash_value=None, checksum=md5)
    assert here.run() == 1
    assert here.names() == [IMAGE]


@pytest.mark.parametrize("status", ["queued", "saving", "importing", "uploading", "killed", "pending_delete"])
def test_other_images_are_left_alone(here, status):
    peer = here.peer(**{IMAGE: DATA})
    here.image(status=status, deleted=90 if status == "pending_delete" else None)
    (here.folder / IMAGE).write_bytes(DATA[:1000])  # an upload that grows
    assert here.run() == 0
    assert here.content() == DATA[:1000]
    assert peer.calls == []


def test_an_image_that_is_elsewhere(here, capsys):
    peer = here.peer()
    here.image(location="http://mirror.example/image.qcow2")
    assert here.run() == 0
    here.image(OTHER, location=f"file:///elsewhere/{OTHER}")
    assert here.run() == 1
    assert f"/elsewhere/{OTHER} is in no filesystem_store_datadir" in capsys.readouterr().err
    assert peer.calls == []


def test_without_a_store_of_files_there_is_nothing_to_do(here):
    here.configure(backends="ceph:rbd")
    here.path.unlink()
    assert here.run() == 0


def test_the_older_way_to_name_the_store(here):
    here.peer(**{IMAGE: DATA})
    here.image()
    text = here.config.read_text().replace("enabled_backends", "# enabled_backends")
    here.config.write_text(text.replace("[file]", "[glance_store]\nstores = file,http"))
    assert here.run() == 0
    assert here.content() == DATA


# -- peers


def test_the_others_are_asked_in_turn(here):
    lacking, last = here.peer(), here.peer(**{IMAGE: DATA})
    here.image()
    assert here.run() == 0
    assert here.content() == DATA
    assert len(lacking.downloads) == len(last.downloads) == 1


def test_a_dead_peer_is_skipped(here):
    here.peer(**{IMAGE: DATA})
    dead = Peer()
    dead.shutdown()
    dead.server_close()
    here.image()
    assert here.program.main(["--config", str(here.config), dead.url, here.peers[0].url]) == 0
    assert here.content() == DATA


def test_a_dead_peer_may_have_it(here, capsys):
    here.peer()
    here.image()
    assert here.run(dead=["http://127.0.0.1:9"]) == 0
    assert here.names() == here.left() == []
    said = capsys.readouterr().err
    assert f"{IMAGE}: nobody gave it: {here.peers[0].url}: it does not have it; http://127.0.0.1:9: " in said
    assert "tried again at the next run" in said


def test_an_image_that_nobody_has_is_lost(here, capsys):
    here.peer(), here.peer()
    here.image()
    assert here.run() == 1
    assert f"{IMAGE}: nobody gave it" in capsys.readouterr().err


def test_one_that_was_deleted_meanwhile_is_not(here):
    here.peer().unknown.add(IMAGE)
    here.image()
    assert here.run() == 0


@pytest.mark.parametrize(("status", "result"), [(503, 0), (401, 0), (403, 1)])
def test_a_refusal(here, status, result):
    here.peer(**{IMAGE: DATA}).status = status
    here.image()
    assert here.run() == result
    assert here.names() == here.left() == []


def test_a_damaged_image_is_refused(here, capsys):
    damaged = here.peer(**{IMAGE: DATA[::-1]})
    here.image()
    assert here.run() == 1
    assert "the sha512 is another one; tried again in an hour" in capsys.readouterr().err
    assert here.names() == []
    # It may be large: not each minute.
    assert here.run() == 1
    assert len(damaged.downloads) == 1
    mark = here.folder / ".incoming" / f"{IMAGE}.refused"
    os.utime(mark, (0, time.time() - 3601))
    # Another one may have it.
    here.peer(**{IMAGE: DATA})
    assert here.run() == 0
    assert here.content() == DATA
    assert f"not good everywhere: {damaged.url}: " in capsys.readouterr().err
    assert here.run() == 0
    assert here.left() == []


@pytest.mark.parametrize("size", [len(DATA) - 5, len(DATA) + 5])
def test_a_file_of_another_size_is_not_the_image(here, size):
    here.peer(**{IMAGE: (DATA + b"12345")[:size]})
    here.image(data=DATA[:-1] + bytes([DATA[-1] ^ 1]))
    assert here.run() == (0 if size < len(DATA) else 1)
    assert here.names() == []


def test_a_peer_that_breaks_off(here, capsys):
    here.peer(**{IMAGE: DATA}).cut = 1_500_000
    here.image()
    assert here.run() == 0
    assert here.names() == here.left() == []
    assert "1500000 of 3000000 bytes" in capsys.readouterr().err


def test_a_silent_peer(here, monkeypatch):
    peer = here.peer(**{IMAGE: DATA})
    peer.paused = threading.Event()
    monkeypatch.setattr(here.program, "SILENCE", 0.3)
    here.image()
    assert here.run() == 0
    assert here.names() == here.left() == []


def test_a_slow_peer(here, monkeypatch):
    here.peer(**{IMAGE: DATA})
    monkeypatch.setattr(here.program, "GRACE", -1000)
    here.image()
    assert here.run() == 0
    assert here.names() == here.left() == []


def test_a_disk_that_would_be_full(here, monkeypatch, capsys):
    peer = here.peer(**{IMAGE: DATA})
    monkeypatch.setattr(here.program, "RESERVE", 1 << 60)
    here.image()
    assert here.run() == 1
    assert "MiB are free" in capsys.readouterr().err
    assert peer.downloads == []


def test_a_disk_that_is_full_all_the_same(here, monkeypatch, capsys):
    here.peer(**{IMAGE: DATA})
    here.image()

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(here.program.os, "fsync", full)
    assert here.run() == 1
    assert f"{IMAGE}: [Errno {errno.ENOSPC}]" in capsys.readouterr().err
    assert here.names() == here.left() == []


# -- removing


def test_a_deleted_image_is_removed_after_an_hour(here):
    peer = here.peer()
    for name, minutes in ((IMAGE, 61), (OTHER, 59)):
        (here.folder / name).write_bytes(DATA)
        here.image(name, status="deleted", deleted=minutes)
    assert here.run() == 0
    assert here.names() == [OTHER]
    assert peer.calls == []


def test_what_is_not_an_image_of_glances_is_left_alone(here):
    here.image(status="deleted", deleted=90)
    names = [f"{IMAGE}.bak", "lost+found", "notes", f"{IMAGE[:-1]}", OTHER]
    for name in names:
        (here.folder / name).write_bytes(b"")
    # Nor one that is no file.
    (here.folder / IMAGE).symlink_to("notes")
    assert here.run() == 0
    assert here.names() == sorted([*names, IMAGE])


@pytest.mark.parametrize("failure", ["breaks", "unreachable", "refused", "table"])
def test_nothing_is_removed_when_the_list_is_not_complete(here, failure, monkeypatch):
    (here.folder / IMAGE).write_bytes(DATA)
    here.image(status="deleted", deleted=90)
    if failure == "breaks":
        monkeypatch.setenv("STUB_BREAKS", "1")
    elif failure == "unreachable":
        monkeypatch.setenv("STUB_DATABASE", "/nowhere")
    elif failure == "refused":
        here.configure(database="another")
    else:
        with here.database() as database:
            database.execute("DROP TABLE image_locations")
    # A database that goes away comes back; a wrong password does not get right.
    assert here.run() == (1 if failure in ("refused", "table") else 0)
    assert here.names() == [IMAGE]


def test_the_database_is_only_read(here, program):
    config = program.read_config(here.config)
    with pytest.raises(program.Wrong, match="readonly"), program.database(config) as cursor:
        cursor.execute("DELETE FROM images")


# -- runs that overlap, and runs that are killed


def test_two_runs_at_once(here, capsys):
    peer = here.peer(**{IMAGE: DATA})
    here.image()
    (here.folder / ".incoming").mkdir()
    with (here.folder / ".incoming" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert here.run() == 0
        assert "another run" in capsys.readouterr().err
        assert peer.downloads == []
    assert here.run() == 0
    assert here.content() == DATA


def test_a_killed_run_leaves_nothing_under_an_images_name(here, tmp_path):
    peer = here.peer(**{IMAGE: DATA})
    peer.paused = threading.Event()
    here.image()
    shutil.copy(stub_pymysql.__file__, tmp_path / "pymysql.py")
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), *here.arguments()],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert peer.streaming.wait(20)
    part = here.folder / ".incoming" / IMAGE
    end = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL
    assert here.left() == [IMAGE]
    assert 0 < part.stat().st_size < len(DATA)
    assert here.names() == []
    peer.paused.set()
    peer.paused = None
    assert here.run() == 0
    assert here.content() == DATA
    assert here.left() == []


def test_leftovers_are_cleaned_when_nothing_is_missing_any_more(here):
    place = here.folder / ".incoming"
    place.mkdir()
    (place / OTHER).write_bytes(b"half")
    assert here.run() == 0
    assert here.left() == []


# -- for verify


def test_what_is_missing_here(here, capsys, monkeypatch):
    peer = here.peer(**{IMAGE: DATA})
    here.image()
    here.image(OTHER, data=b"abc")
    (here.folder / OTHER).write_bytes(b"abc")
    assert here.run("--missing") == 0
    assert capsys.readouterr().out.split() == [IMAGE]
    assert peer.calls == []
    monkeypatch.setenv("STUB_DATABASE", "/nowhere")
    assert here.run("--missing") == 1
