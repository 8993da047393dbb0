#!/usr/bin/env python3
"""Runs on each of several controllers, as glance: fetches the images that it lacks from the others.

glance keeps images as files on the controller that took the upload. Plain Python 3.9 with PyMySQL; the deploy
installs it, and openstack-images.timer starts it each minute.

What there is comes from glance's database and not from its API: a list of the API leaves out what is hidden,
may change between two pages, and does not tell a deleted image from one it has never heard of. Only a row
that says "deleted" lets a file be removed. Where nothing is to be done nobody else is asked, and there is no
login.

Arguments: the others' own glance APIs. Status 1: a person must look; what the next run may heal is only said.
"""

import argparse
import configparser
import contextlib
import datetime
import errno
import fcntl
import hashlib
import http.client
import json
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pymysql

CONFIG = "/etc/glance/glance-api.conf"
DATADIR = "/var/lib/glance/images"  # glance's own default
# Below the images' folder, and so in its file system. glance never lists that folder.
INCOMING = ".incoming"
LOCK = "lock"
REFUSED = ".refused"  # marks an image that all others have in a damaged form
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

SILENCE = 30  # seconds without a byte, of anybody
CHUNK = 1 << 20
# A peer that gives less in the long run holds up all other images: seconds, bytes a second.
GRACE, SLOWEST = 300, 1 << 20
RESERVE = 512 << 20  # bytes that stay free: a full file system stops more than images
KEPT = 3600  # seconds that a deleted image's file stays
PAUSE = 3600  # seconds until a damaged image is tried again: it may be large
TOKEN_LIFE = 300  # seconds that a token is used for new downloads

# Codes of MariaDB and its client that go by: too many connections, no primary component, shutdown, lock
# waits, unreachable, connection lost.
PASSING = {1040, 1047, 1053, 1152, 1158, 1159, 1160, 1161, 1205, 1213, 2002, 2003, 2006, 2013}

# A location that is no longer active is one that glance is removing. "deactivated" images may come back.
IMAGES = """
SELECT images.*, image_locations.value AS location
FROM images JOIN image_locations ON image_locations.image_id = images.id
WHERE images.deleted = 0 AND images.status IN ('active', 'deactivated')
AND image_locations.deleted = 0 AND image_locations.status = 'active'
"""
# "pending_delete" is left out: glance may restore such an image.
DELETED = "SELECT id FROM images WHERE deleted = 1 AND status = 'deleted' AND deleted_at < %s AND id IN ({})"


class Wrong(Exception):
    """A person must look."""


class Passing(Exception):
    """The next run may find it healed."""


class Lacks(Exception):
    """The peer answers, and does not have the image."""


class Gone(Exception):
    """The image was deleted meanwhile."""


class Damaged(Exception):
    """The peer's file is not the image."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def read_config(path):
    # Without the usual meaning of [DEFAULT], whose options are no other section's in OpenStack.
    config = configparser.RawConfigParser(
        strict=False, allow_no_value=True, delimiters=("=",), default_section="-"
    )
    try:
        with open(path, encoding="utf-8") as file:
            config.read_file(file)
    except (OSError, ValueError, configparser.Error) as error:
        # Not a parser's message: it quotes lines, and one of them is a password.
        raise Wrong(
            "%s can't be read: %s" % (path, getattr(error, "strerror", type(error).__name__))
        ) from None
    return config


def folders(config):
    """Where glance keeps images in files; nowhere when it keeps them otherwise."""
    backends = config.get("DEFAULT", "enabled_backends", fallback="")
    entries = [entry.split(":") for entry in backends.split(",") if ":" in entry]
    sections = [name.strip() for name, kind in entries if kind.strip() == "file"]
    if not entries and "file" in config.get("glance_store", "stores", fallback="file").split(","):
        sections = ["glance_store"]
    found = [config.get(name, "filesystem_store_datadir", fallback=DATADIR) for name in sections]
    return [os.path.normpath(path) for path in dict.fromkeys(found)]


@contextlib.contextmanager
def database(config):
    """A cursor that can only read."""
    url = urllib.parse.urlsplit(config.get("database", "connection", fallback=""))
    if not url.hostname:
        raise Wrong("[database] has no connection")
    options = dict(urllib.parse.parse_qsl(url.query))
    try:
        connection = pymysql.connect(
            host=url.hostname,
            port=url.port or 3306,
            user=urllib.parse.unquote(url.username or ""),
            password=urllib.parse.unquote(url.password or ""),
            database=url.path.strip("/"),
            ssl={"ca": options["ssl_ca"]} if "ssl_ca" in options else None,
            connect_timeout=10,
            read_timeout=60,
            write_timeout=60,
        )
        with contextlib.closing(connection):
            cursor = connection.cursor()
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            yield cursor
    except pymysql.err.MySQLError as error:
        kind = Passing if error.args and error.args[0] in PASSING else Wrong
        raise kind("glance's database: %s" % error) from error


def rows(cursor, statement, arguments=None):
    cursor.execute(statement, arguments)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def in_files(images):
    """path -> image, of the images that are files."""
    found = {}
    for image in images:
        url = urllib.parse.urlsplit(image["location"])
        # One whose size nobody wrote down can't be judged.
        if url.scheme == "file" and image["size"] is not None:
            found[os.path.normpath(url.path)] = image
    return found


def lacks(path, image):
    """Whether the image's file is missing here, or not whole."""
    try:
        return os.stat(path).st_size != image["size"]
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return True
        raise


def removable(cursor, folder, wanted):
    """The files of images that are deleted for good."""
    names = [
        entry.name
        for entry in os.scandir(folder)
        if UUID.fullmatch(entry.name)
        and os.path.join(folder, entry.name) not in wanted
        and entry.is_file(follow_symlinks=False)
    ]
    # glance's times are UTC, and say nothing of it.
    now = datetime.datetime.now(datetime.timezone.utc)
    before = (now - datetime.timedelta(seconds=KEPT)).strftime("%Y-%m-%d %H:%M:%S")
    found = set()
    for start in range(0, len(names), 500):
        part = names[start : start + 500]
        statement = DELETED.format(", ".join(["%s"] * len(part)))
        found |= {row["id"] for row in rows(cursor, statement, [before] + part)}
    return [os.path.join(folder, name) for name in names if name in found]


class Login:
    """glance's own, from its configuration."""

    def __init__(self, config):
        self.config, self.token, self.until = config, "", 0.0

    def option(self, name):
        return self.config.get("keystone_authtoken", name, fallback=None)

    def domain(self, whose):
        name, number = self.option("%s_domain_name" % whose), self.option("%s_domain_id" % whose)
        return {"name": name} if name else {"id": number or "default"}

    def __call__(self):
        """A token."""
        if time.monotonic() > self.until:
            self.token = self.ask()
            self.until = time.monotonic() + TOKEN_LIFE
        return self.token

    def ask(self):
        user = {"name": self.option("username"), "password": self.option("password")}
        user["domain"] = self.domain("user")
        project = {"name": self.option("project_name"), "domain": self.domain("project")}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": project},
            }
        }
        url = (self.option("auth_url") or "").rstrip("/")
        url = url if url.endswith("/v3") else url + "/v3"
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.option("cafile"))),
        )
        try:
            call = urllib.request.Request(
                url + "/auth/tokens",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
            with opener.open(call, timeout=SILENCE) as answer:
                return answer.headers["X-Subject-Token"]
        except urllib.error.HTTPError as error:
            kind = Wrong if error.code in (400, 401, 403, 404) else Passing
            raise kind("no login as %s at %s: %s" % (user["name"], url, error)) from error
        except (OSError, http.client.HTTPException) as error:
            raise Passing("no login as %s at %s: %s" % (user["name"], url, error)) from error
        except ValueError:
            raise Wrong("[keystone_authtoken] auth_url is no address") from None


def hasher_of(image):
    """(what works out the image's hash, its value); nothing to compare in the oldest images."""
    algorithm, value = image.get("os_hash_algo"), image.get("os_hash_value")
    if algorithm and value:
        try:
            return hashlib.new(algorithm), value
        except ValueError:
            raise Wrong("%s: this Python has no %s" % (image["id"], algorithm)) from None
    # Before rocky. It finds damage, which is all that is asked.
    return hashlib.new("md5", usedforsecurity=False), image.get("checksum")


def fetch(peer, image, token, file):
    """Write an image from a peer to an open file, and check it.

    Raises:
        Lacks, Gone, Damaged: as they say.
        Wrong: glance's user may not.
        Passing: the peer is silent, breaks off or is too slow.
    """
    hasher, value = hasher_of(image)
    url = urllib.parse.urlsplit(peer)
    end = time.monotonic() + GRACE + image["size"] / SLOWEST
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=SILENCE)
    headers = {"X-Auth-Token": token, "Connection": "close"}
    received = 0
    try:
        connection.request("GET", "/v2/images/%s/file" % image["id"], headers=headers)
        answer = connection.getresponse()
        if answer.status == 204:
            raise Lacks("it does not have it")
        if answer.status == 404:
            raise Gone("it knows no such image")
        if answer.status == 403:
            raise Wrong("%s: glance's user may not download %s" % (peer, image["id"]))
        if answer.status != 200:
            raise Passing("it answers %d %s" % (answer.status, answer.reason))
        while received < image["size"]:
            # read() would wait for a whole chunk, however slowly it comes.
            chunk = answer.read1(min(CHUNK, image["size"] - received))
            if not chunk:
                # The peer died, or its file is short: it finds that out itself.
                raise Passing("broke off after %d of %d bytes" % (received, image["size"]))
            received += len(chunk)
            hasher.update(chunk)
            file.write(chunk)
            if time.monotonic() > end:
                raise Passing("too slow: %d of %d bytes" % (received, image["size"]))
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise Passing(
            "%s after %d of %d bytes" % (str(error) or type(error).__name__, received, image["size"])
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS):
            raise
        raise Passing(str(error)) from error  # no route, no such name, socket.timeout
    finally:
        connection.close()
    if value and hasher.hexdigest() != value:
        raise Damaged("the %s is another one" % hasher.name)


@contextlib.contextmanager
def incoming(folder):
    """The folder for what is not whole yet, without killed runs' leftovers; None while another run has it."""
    path = os.path.join(folder, INCOMING)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    with open(os.path.join(path, LOCK), "w", encoding="utf-8") as lock:
        try:
            # The kernel gives it up with the process, however that ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        for name in os.listdir(path):
            if name != LOCK and not refused(path, name):
                os.unlink(os.path.join(path, name))
        yield path


def refused(place, name):
    """Whether this is the mark of an image that is not asked for again yet."""
    try:
        age = time.time() - os.stat(os.path.join(place, name)).st_mtime
    except FileNotFoundError:
        return False
    return name.endswith(REFUSED) and 0 <= age < PAUSE


def store(peer, image, token, path, temporary):
    """Have an image's file from a peer: whole, on the disk, and only then under its name."""
    try:
        with open(temporary, "xb") as file:
            fetch(peer, image, token, file)
            os.fchmod(file.fileno(), 0o640)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def obtain(image, path, peers, login, temporary):
    """Have one image from any of the others.

    Raises:
        Wrong, Passing, Damaged: nobody gave it.
    """
    disk = os.statvfs(os.path.dirname(path))
    free = disk.f_bavail * disk.f_frsize
    if free < image["size"] + RESERVE:
        raise Wrong("%s: %d MiB, and %d MiB are free" % (image["id"], image["size"] >> 20, free >> 20))
    reasons, passing, damaged = [], False, False
    for peer in peers:
        begin = time.monotonic()
        try:
            store(peer, image, login(), path, temporary)
        except Gone:
            return
        except (Lacks, Damaged, Passing) as error:
            reasons.append("%s: %s" % (peer, error))
            passing = passing or isinstance(error, Passing)
            damaged = damaged or isinstance(error, Damaged)
            continue
        say("%s: fetched from %s in %d s" % (image["id"], peer, time.monotonic() - begin))
        if damaged:
            say("%s: not good everywhere: %s" % (image["id"], "; ".join(reasons)))
        return
    # A peer that is away may have it.
    kind = Damaged if damaged else Passing if passing else Wrong
    raise kind("%s: nobody gave it: %s" % (image["id"], "; ".join(reasons) or "no other controller"))


def mirror(config, peers):
    """Fetch what is missing, remove what was deleted. True when a person need not look."""
    places = folders(config)
    if not places:
        return True
    with database(config) as cursor:
        wanted = in_files(rows(cursor, IMAGES))
        remove = [path for folder in places for path in removable(cursor, folder, wanted)]
    fine, login = True, Login(config)
    for path in remove:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        say("%s: removed, it was deleted in glance" % os.path.basename(path))
    for path, image in wanted.items():
        if os.path.dirname(path) not in places or not UUID.fullmatch(os.path.basename(path)):
            say("%s: %s is in no filesystem_store_datadir" % (image["id"], path))
            fine = False
    for folder in places:
        mine = {path: image for path, image in wanted.items() if os.path.dirname(path) == folder}
        mine = {path: image for path, image in mine.items() if UUID.fullmatch(os.path.basename(path))}
        missing = {path: image for path, image in mine.items() if lacks(path, image)}
        if missing:
            login()  # with a wrong password, once
        fine = fill(folder, missing, peers, login) and fine
    return fine


def fill(folder, missing, peers, login):
    """Fetch a folder's missing images, the small ones first. True when a person need not look."""
    if not missing and not os.path.isdir(os.path.join(folder, INCOMING)):
        return True
    fine = True
    with incoming(folder) as place:
        if place is None:
            say("another run is at it")
            return True
        for path, image in sorted(missing.items(), key=lambda item: item[1]["size"]):
            mark = image["id"] + REFUSED
            if refused(place, mark):
                fine = False
                continue
            try:
                obtain(image, path, peers, login, os.path.join(place, image["id"]))
            except Damaged as problem:
                say("%s; tried again in an hour" % problem)
                with open(os.path.join(place, mark), "w", encoding="utf-8"):
                    fine = False
            except Passing as problem:
                say("%s; tried again at the next run" % problem)
            except (Wrong, OSError) as problem:
                say("%s: %s" % (image["id"], problem) if isinstance(problem, OSError) else str(problem))
                fine = False
    return fine


def missing_here(config):
    """The images that this controller lacks."""
    places = folders(config)
    with database(config) as cursor:
        wanted = in_files(rows(cursor, IMAGES))
    return [
        image["id"]
        for path, image in sorted(wanted.items())
        if os.path.dirname(path) in places and lacks(path, image)
    ]


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("peers", nargs="*", metavar="http://ADDRESS:PORT")
    parser.add_argument("--config", default=CONFIG)
    parser.add_argument("--missing", action="store_true", help="only list what is missing here")
    options = parser.parse_args(arguments)
    try:
        config = read_config(options.config)
        if options.missing:
            print("\n".join(missing_here(config)))
            return 0
        return 0 if mirror(config, options.peers) else 1
    except Passing as problem:
        say("%s; tried again at the next run" % problem)
        return 1 if options.missing else 0
    except (Wrong, OSError) as problem:
        say(str(problem))
        return 1


if __name__ == "__main__":
    sys.exit(main())
