"""Hold the cloud to what the inventory promises: reads only, takes seconds, fails the run when it finds a fault."""

from operations import verify
from tasks.context import cloud

verify.collect(name="Ask every host, and the APIs", cloud=cloud)
verify.report(name="Verdict", cloud=cloud, file=cloud.settings.verify_report)
