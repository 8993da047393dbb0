"""Every program starts here, and is told apart by its own name."""

import os
import sys

from .config import ConfigError


def rootwrap(arguments):
    """cinder-rootwrap: whatever sudo lets through; the real one has a list of commands."""
    os.execvp(arguments[1], arguments[1:])


def main():
    from . import daemons, manage

    program, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
    if program == "cinder-rootwrap":
        rootwrap(arguments)
    if program == "packstack":
        from . import packstack

        return packstack.main()
    try:
        if program.endswith("-status"):
            return manage.status(program, arguments)
        if program in manage.COMMANDS:
            return manage.run(program, arguments)
        return daemons.run(program, arguments)
    except ConfigError:
        raise
    except Exception as error:
        # One line, as in the services' logs: what is wrong is outside.
        print("ERROR: %s: %s: %s" % (program, type(error).__name__, error), file=sys.stderr)
        return 1
