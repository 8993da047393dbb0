"""Runs on a controller: its keys' digests, the keys themselves, or new ones written. Plain Python 3.6.

Request ``{"do": "look", "folders": {repository: folder}, "user": name, "config": [files and folders]}``.
Answer: ``{repository: {"keys": {name: {"sha256", "age"}}, "wrong": [names]}, …, "lifetime": seconds}``.
``age`` are the seconds since the file came under its name here, ``wrong`` is what keystone can't read or
others can, ``lifetime`` the longest time that a token is accepted.

Request ``{"do": "fetch", "folder": folder}``. Answer: ``{name: [content, mtime in nanoseconds]}``.

Request ``{"do": "write", "folder": folder, "user": name, "keys": {name: [content, mtime]}}``: the folder has
these keys then, and no other. Answer: ``{}``. It may be killed at any moment: a key is there whole or not at
all; the primary one comes first, for everybody knows it, the staged one after all others, and what goes, goes
last.
"""

import glob
import hashlib
import os
import pwd
import re
import shutil
import stat
import time

# keystone opens every file beside its keys, also those that it then ignores, and one that it may not read
# would be an error on each request. It does not look into folders; and here a rename stays on the file
# system, and a new file has the folder's SELinux type.
ASIDE = ".pyinfra-new"
# [token] of keystone.conf, keystone/conf/token.py; the second one came with Ocata.
DEFAULTS = {"expiration": 3600, "allow_expired_window": 172800}


def names(folder):
    """The files that are keys."""
    found = os.listdir(folder) if os.path.isdir(folder) else []
    return [name for name in found if name.isdigit() and os.path.isfile(os.path.join(folder, name))]


def content(path):
    """A key's bytes as text, one character each."""
    with open(path, "rb") as file:
        return file.read().decode("latin-1")


def off(path, mode, account):
    """Whether a file or folder is not an account's alone."""
    found = os.stat(path)
    return bool(account) and (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) != (
        mode,
        account.pw_uid,
        account.pw_gid,
    )


def look(folder, account):
    """A repository without its secrets."""
    keys, wrong = {}, []
    if os.path.isdir(folder) and names(folder) and off(folder, 0o700, account):
        wrong.append(".")
    for name in sorted(names(folder), key=int):
        path = os.path.join(folder, name)
        text = content(path)
        if text:
            digest = hashlib.sha256(text.encode("latin-1")).hexdigest()
            keys[name] = {"sha256": digest, "age": int(time.time() - os.stat(path).st_ctime)}
        # Empty after a power cut: older releases fail with it.
        if not text or off(path, 0o600, account):
            wrong.append(name)
    return {"keys": keys, "wrong": wrong}


def lifetime(files):
    """How long a token is accepted at most: its own time, and the window for services that took it before."""
    values = dict(DEFAULTS)
    for path in files:
        section = ""
        for file in [path] if os.path.isfile(path) else sorted(glob.glob(os.path.join(path, "*.conf"))):
            for line in content(file).splitlines():
                header = re.match(r"\[([^]]+)\]", line)
                section = header.group(1) if header else section
                option = re.match(r"(\w+)\s*[=:]\s*(\d+)\s*$", line)
                if option and section == "token" and option.group(1) in values:
                    values[option.group(1)] = int(option.group(2))
    return sum(values.values())


def sync(folder):
    """What was renamed and removed stays so after a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def put(folder, name, text, mtime, account):
    """One key, whole, under its name; untouched where it is there already."""
    path, new = os.path.join(folder, name), os.path.join(folder, ASIDE, name)
    if os.path.isfile(path) and content(path) == text:
        if off(path, 0o600, account):
            os.chown(path, account.pw_uid, account.pw_gid)
            os.chmod(path, 0o600)
        return
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text.encode("latin-1"))
        file.flush()
        os.fchown(file.fileno(), account.pw_uid, account.pw_gid)
        os.fsync(file.fileno())
    os.utime(new, ns=(mtime, mtime))
    os.rename(new, path)
    sync(folder)


def write(folder, keys, account):
    """Have these keys in a folder, and no other."""
    aside = os.path.join(folder, ASIDE)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if off(folder, 0o700, account):
        os.chown(folder, account.pw_uid, account.pw_gid)
        os.chmod(folder, 0o700)
    if os.path.isdir(aside):  # a killed run's
        shutil.rmtree(aside)
    os.mkdir(aside, 0o700)
    for name in sorted((name for name in keys if name != "0"), key=int, reverse=True) + ["0"]:
        if name in keys:
            put(folder, name, keys[name][0], keys[name][1], account)
    for name in sorted(set(names(folder)) - set(keys), key=int):
        os.unlink(os.path.join(folder, name))
    os.rmdir(aside)
    sync(folder)


def main(request):
    if request["do"] == "fetch":
        folder = request["folder"]
        paths = {name: os.path.join(folder, name) for name in names(folder)}
        found = {name: [content(path), os.stat(path).st_mtime_ns] for name, path in paths.items()}
        return {name: key for name, key in found.items() if key[0]}
    if request["do"] == "write":
        if not set(request["keys"]) - {"0"}:
            raise SystemExit("%s: no primary key is given, and all others would go" % request["folder"])
        write(request["folder"], request["keys"], pwd.getpwnam(request["user"]))
        return {}
    try:
        account = pwd.getpwnam(request["user"])
    except KeyError:  # before its package is there
        account = None
    found = {repository: look(folder, account) for repository, folder in request["folders"].items()}
    return dict(found, lifetime=lifetime(request["config"]))
