"""packstack: its answer file, its run in a unit of its own, and what it leaves behind.

The run belongs to the host's systemd, and to no connection: what is killed here ends no run there. How far it
is, and how the last one ended, is asked of the host (``operations/installed/packstack.sh`` writes it).
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Collection, Mapping
from shlex import quote
from typing import Any

import gevent
from pyinfra import host, logger, state
from pyinfra.api import StringCommand, operation
from pyinfra.api.exceptions import ConnectError

from cloud import packstack
from cloud.model import Cloud
from facts.config import ConfigFile
from facts.packstack import PackstackRun, Run
from facts.reading import Unreadable, read
from operations import config
from operations.failure import fail, warn

UNIT = "openstack-packstack"
PROGRAM = "/usr/local/sbin/openstack-packstack"
FOLDER = "/var/lib/openstack-packstack"
LOG = "/var/log/openstack-packstack.log"
CREDENTIALS = "/root/keystonerc_admin"

# Seconds. packstack moves the host's address to a bridge, and restarts its network: that may take a while.
ANSWER = 60
LOST = 600
# At least one line in so many seconds says that somebody still looks.
SILENCE = 60

AUTHORIZED = "/root/.ssh/authorized_keys"

# The public key that packstack logs in with, of this run.
keys: list[str] = []

# Arguments: the answer file, and its place until it is whole. packstack writes a file in steps, may end with
# status 0 without one, and asks a person where ssh-keygen has a question.
GENERATE = """
umask 077
export HOME=/root
rm -f "$2"
said=$(packstack --gen-answer-file="$2" </dev/null 2>&1)
status=$?
if [ $status -ne 0 ] || [ "$(head -n 1 "$2" 2>/dev/null)" != "[general]" ] || [ -n "$(tail -c 1 "$2")" ]; then
    echo "packstack wrote no answer file (its status is $status):" >&2
    echo "$said" >&2
    rm -f "$2"
    exit 1
fi
chmod 600 "$2" && sync && mv -f "$2" "$1"
""".strip()


@operation()
def generated(path: str):
    """Have an answer file: where there is none packstack makes one, whole or not at all.

    It looks for the host's address by its default route, and wants port 22 to answer there.

    Args:
        path: the file.
    """
    found = read(ConfigFile, path=path)
    if isinstance(found, Unreadable):
        yield fail(f"{path} can't be read: {found.reason}")
    elif found.exists:
        host.noop(f"{path} is there")
    else:
        new = f"{path}.pyinfra-new"
        yield StringCommand("sh", "-c", quote(GENERATE), "generate", quote(path), quote(new))


@operation()
def answered(path: str, answers: Mapping[str, str]):
    """Have answers in packstack's file, readable by root only; every other line stays as it is.

    Give it a ``name``: pyinfra prints the arguments of an unnamed operation.

    Args:
        path: the file.
        answers: option -> value; an option that the file does not have is an error.
    """
    found = read(ConfigFile, path=path)
    if isinstance(found, Unreadable):
        yield fail(f"{path} can't be read: {found.reason}")
        return
    if not found.exists:
        yield fail(f"{path} does not exist: packstack has not generated it")
        return
    try:
        content = packstack.merge(found.content, answers)
    except ValueError as problem:
        yield fail(f"{path} {problem}; packstack was not run")
        return
    changes = packstack.changed(found.content, content)
    yield from config.write(found, content, "root", "root", "600", changes)


@operation()
def key_read(path: str):
    """Read the public key that packstack logs in with, for :func:`let_in`. Changes nothing.

    Args:
        path: the answer file, which names it.
    """
    keys.clear()
    if state.is_executing:
        answers = read(ConfigFile, path=path)
        if not isinstance(answers, Unreadable):
            answers = read(ConfigFile, path=packstack.parse(answers.content).get("CONFIG_SSH_KEY", "/"))
        if isinstance(answers, Unreadable) or not answers.content.strip():
            reason = answers.reason if isinstance(answers, Unreadable) else "it is not there"
            yield fail(f"the public key that CONFIG_SSH_KEY names can't be read: {reason}")
            return
        keys.append(answers.content.strip())
    host.noop("known when the run is executed")


@operation()
def let_in():
    """Let packstack log in as root by its key: in a unit nobody can type the password that it asks for."""
    found = read(ConfigFile, path=AUTHORIZED)
    if isinstance(found, Unreadable):
        yield fail(f"{AUTHORIZED} can't be read: {found.reason}")
        return
    missing = [key for key in keys if key not in found.content.splitlines()]
    if not missing:
        host.noop("it is let in" if keys else "known when the run is executed")
        return
    content = found.content + "".join(f"{key}\n" for key in missing)
    yield StringCommand("install -d -m 700 /root/.ssh")
    yield from config.write(found, content, "root", "root", found.mode or "600", ["packstack's key"])


@operation()
def ran(answer_file: str, minutes: int, declared: Collection[str] = (), secrets: Collection[str] = ()):
    """Have packstack run with the answers that are in its file, and follow it to its end.

    A run that is under way is followed; after a success with the same answers there is nothing to do; after a
    failure, a power cut, or with other answers it runs again.

    Args:
        answer_file: the file.
        minutes: how long to follow a run at most. It goes on after that.
        declared: options that are said when packstack went on with another value.
        secrets: what is not to be shown of its log, beside the passwords of the file.
    """
    # Twice: a run that was under way may have had other answers.
    for attempt in range(3):
        found, why = _judged(answer_file)
        if isinstance(found, Unreadable):
            yield fail(f"how far packstack is can't be read: {found.reason}")
            return
        if found.running:
            _say(
                f"packstack has been running for {packstack.elapsed(found.given or 0)}: followed from here on"
            )
        elif not why:
            host.noop("packstack has succeeded with these answers")
            return
        elif attempt == 2:
            yield fail(f"packstack ended without a record of it: systemctl status {UNIT} may say why")
            return
        else:
            _say(f"packstack runs: {why}")
            yield StringCommand(
                f"systemctl reset-failed {UNIT}.service 2>/dev/null; "
                f"systemd-run --unit={UNIT} --description='packstack, as the deploy started it' "
                f"{PROGRAM} {quote(answer_file)} {LOG}"
            )
        if not state.is_executing:
            if found.running:
                host.noop("packstack is running")
            return
        problem = _follow(minutes, secrets)
        if problem:
            yield fail(problem)
            return
        if ignored := _ignored(declared):
            yield warn(
                f"packstack went on with other values than the declared ones of {', '.join(ignored)}: they "
                "belong to a part that other answers leave out, or it has corrected them"
            )


def _judged(answer_file: str) -> tuple[Run | Unreadable, str | None]:
    """The last run, and why another one is needed."""
    found = read(PackstackRun, unit=UNIT, folder=FOLDER, log=LOG)
    if isinstance(found, Unreadable):
        return found, None
    records = [name for name in ("given", "failed", "done") if getattr(found, name) is not None]
    texts = {"after": answer_file}
    if records:
        texts["before"] = f"{FOLDER}/{records[0]}"
    for name, path in texts.items():
        file = read(ConfigFile, path=path)
        if isinstance(file, Unreadable):
            return file, None
        texts[name] = file.content
    return found, packstack.reason(records, texts.get("before", ""), texts["after"])


def _follow(minutes: int, secrets: Collection[str]) -> str | None:
    """Say what packstack does until it ends; what went wrong, if anything did."""
    end = time.monotonic() + minutes * 60
    start, said = 1, "it is starting"
    when = reached = time.monotonic()
    words: deque[str] = deque(maxlen=15)
    while True:
        found, now = _look(start), time.monotonic()
        if isinstance(found, Unreadable):
            connected = False
            while not connected:
                if time.monotonic() - reached > LOST:
                    return f"not reached for {LOST} seconds ({found.reason}): {_attach()}"
                gevent.sleep(2)
                connected = _connect()
            continue
        reached = now
        if found.size + 1 < start:  # another run's
            start = 1
            continue
        start = found.size + 1
        words.extend(packstack.spoken(found.log))
        lines = packstack.steps(packstack.spoken(found.log))
        if (lines and lines[-1] != said) or now - when > SILENCE:
            said, when = (lines or [said])[-1], now
            _say(f"packstack, {packstack.elapsed(_age(found))}: {packstack.masked(said, secrets)}")
        if not found.running:
            break
        if now > end:
            return f"packstack is still running after {minutes} minutes (packstack_timeout): {_attach()}"
        gevent.sleep(min(10, 1 + _age(found) / 30))
    if found.given is None and found.failed is None:
        return None
    how = "failed" if found.failed is not None else "was cut off"
    shown = [packstack.masked(line, {*secrets, *_passwords()}) for line in words]
    return (
        f"packstack {how} after {packstack.elapsed(_age(found))}. Its last words:\n"
        + "".join(f"    {line}\n" for line in shown)
        + f"All of them are in {LOG} on {host.name}, and more in /var/tmp/packstack/latest; "
        "run this again when the reason is gone"
    )


def _ignored(declared: Collection[str]) -> list[str]:
    """Declared options that have another value in what packstack wrote back."""
    given, back = (read(ConfigFile, path=f"{FOLDER}/{name}") for name in ("done", "resolved"))
    if isinstance(given, Unreadable) or isinstance(back, Unreadable):
        return []
    different = packstack.changed(given.content, back.content)
    return [name for name in declared if name in different]


def _look(start: int) -> Run | Unreadable:
    # A connection whose other end is gone is opened for an hour.
    with gevent.Timeout(ANSWER, TimeoutError(f"no answer for {ANSWER} seconds")):
        return read(PackstackRun, unit=UNIT, folder=FOLDER, log=LOG, start=start)


def _connect() -> bool:
    """Make a new connection in place of a broken one: whether that worked. Nothing is asked without one."""
    try:
        with gevent.Timeout(ANSWER, TimeoutError()):
            host.disconnect()
            host.connect(reason="again, for packstack", show_errors=False, raise_exceptions=True)
    except (ConnectError, TimeoutError):
        return False
    return True


def _attach() -> str:
    return f"it goes on, and is followed again by the same command; or, on {host.name}: tail -f {LOG}"


def _age(found: Run) -> int:
    """Seconds since the run began."""
    return next((age for age in (found.given, found.failed, found.done) if age is not None), 0)


def _passwords() -> set[str]:
    """Those that are in the answers, and that packstack made."""
    found = [read(ConfigFile, path=f"{FOLDER}/{name}") for name in ("given", "failed", "answers", "resolved")]
    return packstack.secrets_in(*(file.content for file in found if not isinstance(file, Unreadable)))


def _say(text: str) -> None:
    if state.is_executing or state.config.DIFF:
        logger.info(f"{host.print_prefix}{text}")


@operation()
def horizon_in_main_interpreter(path: str, answer_file: str):
    """Have ``WSGIApplicationGroup %{GLOBAL}`` in Horizon's virtual host, without which it does not answer.

    Args:
        path: the virtual host, as packstack writes it.
        answer_file: says whether there is a Horizon at all.
    """
    found, answers = read(ConfigFile, path=path), read(ConfigFile, path=answer_file)
    for file in (found, answers):
        if isinstance(file, Unreadable):
            yield fail(f"Horizon's virtual host can't be looked at: {file.reason}")
            return
    if packstack.parse(answers.content).get("CONFIG_HORIZON_INSTALL") == "n":
        host.noop("packstack installs no Horizon")
        return
    if not found.exists:
        yield fail(
            f"{path} does not exist: packstack has not written it, or it was removed; after rm {FOLDER}/done "
            "packstack runs again"
        )
        return
    try:
        content = packstack.in_main_interpreter(found.content)
    except ValueError as problem:
        yield fail(f"{path} {problem}")
        return
    changes = ["WSGIApplicationGroup"] if content != found.content else []
    yield from config.write(found, content, found.user, found.group, found.mode, changes)


@operation()
def login_file(cloud: Cloud, src: str, dest: str):
    """Write the administrator's login, as packstack left it, into a file that loads it; for root only.

    Args:
        cloud: the model.
        src: the template; it is given ``login``, and ``shell`` and ``text``, which quote for a shell and for
            YAML.
        dest: the file on the host.
    """
    found = login(cloud)
    if isinstance(found, Unreadable):
        yield fail(found.reason)
        return
    yield from config.file._inner(
        dest=dest, src=src, mode="600", directory=True, cloud=cloud, login=found, shell=quote, text=json.dumps
    )


def login(cloud: Cloud) -> dict[str, Any] | Unreadable:
    """The administrator's login, for the programs that ask the APIs; read on the controller, where we are.

    Args:
        cloud: the model.
    """
    if not cloud.packstack:
        return cloud.admin_credentials
    found = read(ConfigFile, path=CREDENTIALS)
    if isinstance(found, Unreadable):
        return Unreadable(f"{CREDENTIALS} can't be read: {found.reason}")
    if not found.exists:
        return Unreadable(f"{CREDENTIALS} does not exist: packstack has not succeeded on {host.name} yet")
    try:
        return packstack.login(packstack.credentials(found.content), cloud.settings.region)
    except ValueError as problem:
        return Unreadable(f"{CREDENTIALS} {problem}")
