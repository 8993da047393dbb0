"""The state folder: ``$OPENSTACK_LAB_DIR``, or /var/lib/openstack-lab. The labs share it, but for RUN."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT = "debian13"
CHOSEN = os.environ.get("OPENSTACK_LAB", DEFAULT)
STATE = Path(os.environ.get("OPENSTACK_LAB_DIR", "/var/lib/openstack-lab"))
CACHE = STATE / "cache"  # what was built or downloaded; `down` keeps it
SSH = STATE / "ssh"  # the key pair, known_hosts and the hosts' own keys; `down` keeps it
# What belongs to the hosts that exist now; `down` removes it.
RUN = STATE / ("run" if CHOSEN == DEFAULT else f"run-{CHOSEN}")
LOCK = STATE / "lock"

# What is being built has this in its name until it is complete.
PARTIAL = ".partial"
# RUN while `down` removes it: half a host must not pass for one.
OLD = RUN.with_name(f"{RUN.name}{PARTIAL}")
