"""Runs on the first controller for verify: every service's own ``*-status upgrade check``. Reads only.

Each command spends most of its seconds on importing the same libraries. They are imported once here, and
each check runs in a process forked from this one, as its service's user: run by root, it would leave log
files behind that the service can't write to.

Request: ``{"checks": {service: command}}``, e.g. ``{"nova": "nova-status"}``.
Answer: ``{service: {"status": exit status, "output": its end}}``; text in place of a check that did not end.
"""

import contextlib
import importlib
import os
import pwd
import selectors
import signal
import sys
import time
import traceback
from importlib import metadata

SHARED = (
    "alembic",
    "keystoneauth1.session",
    "oslo_config.cfg",
    "oslo_db.sqlalchemy.enginefacade",
    "oslo_log.log",
    "oslo_messaging",
    "oslo_policy.policy",
    "oslo_upgradecheck.upgradecheck",
    "oslo_utils.timeutils",
    "pymysql",
    "sqlalchemy",
)
# Seconds: a check that hangs must not hold up the verdict. It takes a few; right after a first deploy, with
# every service of seven small hosts starting on two processors, 60 were not enough.
TIMEOUT = 180
KEPT = 20000


def entry_point(command):
    """The function behind a console script; None where it belongs to another Python than this one."""
    found = metadata.entry_points()
    scripts = found.select(group="console_scripts") if hasattr(found, "select") else found["console_scripts"]
    script = next((script for script in scripts if script.name == command), None)
    return script and script.load()


def child(user, command, output):
    """Become the service's user and run its check; never returns."""
    status = 255
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        account = pwd.getpwnam(user)
        os.initgroups(user, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        os.environ["HOME"] = account.pw_dir
        sys.argv[0] = command
        check = entry_point(command)
        if check is None:
            os.execvp(command, [command, "upgrade", "check"])
        status = check() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run(service, command):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        os.setsid()
        child(service, command, write)
    os.close(write)
    return {"pid": pid, "pipe": os.fdopen(read, "rb"), "output": b""}


def collect(jobs, seconds):
    """Read what the checks say until they end, or the time is up; returns the jobs that have not ended."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as reading:
        for job in jobs:
            reading.register(job["pipe"], selectors.EVENT_READ, job)
        left = seconds
        while reading.get_map() and left > 0:
            for key, _ in reading.select(left):
                data = os.read(key.fd, 65536)
                key.data["output"] += data
                if not data:
                    reading.unregister(key.fileobj)
            left = end - time.monotonic()
        return [key.data for key in reading.get_map().values()]


def finish(job, late):
    """A check's result."""
    if late:
        # Its session: it may have started programs.
        os.killpg(job["pid"], signal.SIGKILL)
    _, status = os.waitpid(job["pid"], 0)
    job["pipe"].close()
    output = str(job["output"], "utf-8", "replace")[-KEPT:]
    if late:
        return "it had not ended after %d seconds: %s" % (TIMEOUT, output[-300:] or "it has said nothing")
    return {"status": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 255, "output": output}


def main(request):
    # Where even an import hangs there is no answer at all.
    signal.alarm(2 * TIMEOUT)
    # Before the import below: oslo_upgradecheck takes the arguments as a default value when it is imported.
    sys.argv = ["status", "upgrade", "check"]
    # eventlet patches what nova imports, and would come after our imports: ssl recurses without end then.
    os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"
    for name in SHARED:
        # Where one is missing, only time is lost.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    jobs = {service: run(service, command) for service, command in sorted(request["checks"].items())}
    late = collect(list(jobs.values()), TIMEOUT)
    return {service: finish(job, job in late) for service, job in jobs.items()}
