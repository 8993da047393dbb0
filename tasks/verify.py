"""Hold the cloud to what the inventory promises: reads only, and fails the run when it finds a fault."""

from pyinfra import host

from operations import verify
from tasks.context import cloud

# Right after a deploy the last services are still about to send their first heartbeat.
patience = host.data.get("verify_patience", 0)

verify.collect(
    name=f"Ask every host and the APIs, waiting {patience} seconds at most for the last service to report",
    cloud=cloud,
    patience=patience,
)
verify.report(name="Verdict", cloud=cloud, file=cloud.settings.verify_report)
