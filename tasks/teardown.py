"""Remove the declared resources, and nothing else. It needs --data confirm=CLOUD_NAME."""

from pyinfra import host
from pyinfra.api.exceptions import DeployError

from operations import resources
from tasks.context import cloud

if cloud.settings.confirm != cloud.settings.cloud_name:
    raise DeployError(
        "this removes everything that `resources` declares. If you mean it, add the name of the cloud: "
        f"--data confirm={cloud.settings.cloud_name}"
    )

if cloud.is_first("controller", host):
    resources.absent(
        name="Remove the declared resources, waiting 600 seconds at most for each",
        cloud=cloud,
    )
