"""A cloud that packstack builds: its packages, its answers, its run, and what it leaves to do.

In place of deploy.py, with `deployed_by = "packstack"`: see docs/packstack.md. The first controller runs
packstack, which reaches the other hosts by itself.
"""

from pathlib import Path

from pyinfra import host, local

from operations import config, packstack, service
from tasks.context import cloud

node = cloud.node(host)
answers = cloud.settings.packstack_answer_file
minutes = cloud.settings.packstack_timeout

local.include("tasks/preflight.py", data={"preflight_brief": True})  # reads the hosts, refuses what fails
local.include("tasks/repositories.py")
local.include("tasks/packages.py")
local.include("tasks/lvm.py")

first = cloud.is_first("controller", host)

if first:
    packstack.generated(name="Let packstack generate its answer file", path=answers)
    packstack.answered(name="Set the declared answers", path=answers, answers=cloud.packstack_answers)
    config.file(
        name="Install what runs packstack in a unit of its own",
        content=Path("operations/installed/packstack.sh").read_text(),
        dest=packstack.PROGRAM,
        mode="755",
    )
    packstack.key_read(name="Read the key that packstack logs in with", path=answers)
packstack.let_in(name="Let packstack log in")

if first:
    packstack.ran(
        name=f"Run packstack, and follow it for {minutes} minutes at most",
        answer_file=answers,
        minutes=minutes,
        declared=list(cloud.packstack_answers),
        secrets=list(cloud.secrets.values()),
    )

    for vhost in node.paths("packstack-horizon"):
        packstack.horizon_in_main_interpreter(
            name="Run Horizon in the main interpreter", path=vhost, answer_file=answers
        )
        service.running(
            name="Start Horizon's web server, 300 seconds at most",
            units=[node.unit("horizon/web")],
            config=[vhost],
            timeout=300,
        )
    packstack.login_file(
        name="Write admin-openrc.sh",
        src="templates/packstack/openrc.j2",
        dest="/root/admin-openrc.sh",
        cloud=cloud,
    )
    packstack.login_file(
        name="Write clouds.yaml",
        src="templates/packstack/clouds.yaml.j2",
        dest="/etc/openstack/clouds.yaml",
        cloud=cloud,
    )
