"""What the cloud is for: the declared flavors, images, networks, volumes and instances (`resources`)."""

from pyinfra import host

from operations import resources
from tasks.context import cloud

if cloud.is_first("controller", host) and cloud.settings.resources.anything:
    resources.present(
        name="Make the declared resources, waiting 600 seconds at most for each",
        cloud=cloud,
    )
