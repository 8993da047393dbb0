"""Runs on the first controller for verify: every service's own ``*-status upgrade check``. Reads only.

Each command spends most of its seconds on importing the same libraries. They are imported once here, and
each check runs in a process forked from this one, as its service's user: run by root, it would leave log
files behind that the service can't write to.

Request: ``{"checks": {service: command}}``, e.g. ``{"nova": "nova-status"}``.
Answer: ``{service: {"status": exit status, "output": its end}}``.
"""

import contextlib
import importlib
import os
import pwd
import signal
import sys
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
TIMEOUT = 60
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
    return {"pid": pid, "pipe": os.fdopen(read, errors="replace")}


def finish(job):
    output = job["pipe"].read()
    _, status = os.waitpid(job["pid"], 0)
    return {"status": os.WEXITSTATUS(status) if os.WIFEXITED(status) else 255, "output": output[-KEPT:]}


def main(request):
    # A check that hangs must not hold up the verdict.
    signal.alarm(TIMEOUT)
    # Before the import below: oslo_upgradecheck takes the arguments as a default value when it is imported.
    sys.argv = ["status", "upgrade", "check"]
    # eventlet patches what nova imports, and would come after our imports: ssl recurses without end then.
    os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "1"
    for name in SHARED:
        # Where one is missing, only time is lost.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    jobs = {service: run(service, command) for service, command in sorted(request["checks"].items())}
    return {service: finish(job) for service, job in jobs.items()}
