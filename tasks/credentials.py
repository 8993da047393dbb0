"""Files that load the credentials of admin and demo, on every controller, readable by root only."""

from pyinfra import host

from operations import config
from tasks.context import cloud

if cloud.does("controller", host):
    for user in ("admin", "demo"):
        config.file(
            name=f"Write {user}-openrc.sh",
            src="templates/credentials/openrc.j2",
            dest=f"/root/{user}-openrc.sh",
            mode="600",
            cloud=cloud,
            user_name=user,
        )
    config.file(
        name="Write clouds.yaml",
        src="templates/credentials/clouds.yaml.j2",
        dest="/etc/openstack/clouds.yaml",
        mode="600",
        directory=True,
        cloud=cloud,
    )
