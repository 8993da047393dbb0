"""Restart what runs and is not heard of."""

from __future__ import annotations

from shlex import quote

from pyinfra import host, logger, state
from pyinfra.api import StringCommand, operation

from cloud import recovery
from cloud.model import Cloud
from operations import verify


@operation()
def restarted(cloud: Cloud):
    """Restart this host's services whose unit is active while the APIs have not heard of them lately.

    Goes by what ``verify.collect`` has read in this run.

    Args:
        cloud: the model.
    """
    if not state.is_executing:
        host.noop("known when the run is executed")
        return
    if not isinstance(verify.answers.api, dict):
        # Right after a power cut the APIs are what is still missing: nothing is known then.
        logger.warning(f"{host.print_prefix}the APIs can't be asked: {verify.answers.api}")
    units = recovery.silent(cloud, verify.answers).get(host.name, [])
    if not units:
        host.noop("every service that runs here is heard of")
        return
    logger.info(f"{host.print_prefix}not heard of: {', '.join(units)}")
    yield StringCommand("systemctl restart", *map(quote, units))
