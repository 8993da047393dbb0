"""How a run ends that checked something: tables once, a JSON file, and the exit status."""

from __future__ import annotations

from collections.abc import Iterator

from pyinfra import host, inventory, logger, state

from cloud.verdict import Report
from operations.failure import fail


def reports_here() -> bool:
    """Whether this host's operation is the one that reports: the first host that is still in the run."""
    reporter = next((member for member in inventory if member in state.active_hosts), None)
    return bool(state.is_executing and reporter and reporter.name == host.name)


def conclude(what: str, report: Report, file: str | None) -> Iterator:
    """Print the report, write it, and fail the operation where a check has failed.

    Args:
        what: has failed, then: "verification".
        report: the verdict.
        file: where the JSON report goes, on the machine that runs pyinfra.
    """
    for line in report.tables().splitlines():
        logger.info(line)
    if file:
        report.write(file)
    if report.ok:
        host.noop(report.last_line)
    else:
        yield fail(f"{what} failed: {report.last_line}")
