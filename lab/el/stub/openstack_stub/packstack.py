"""packstack with a stand-in for the long installation alone: options, checks, files and steps are its own.

Each step takes seconds instead of minutes, and one of them leaves what Puppet would leave: the
administrator's credentials and Horizon's virtual host. How it goes is in a file, JSON, each part optional:
``{"seconds": of each step, "slow": {title of a step: seconds}, "fail": title of the step that fails,
"admin": {"url": keystone's, "password": the administrator's, of a cloud that is there already}, "group":
whether the virtual host has its WSGIApplicationGroup}``.
"""

import json
import os
import subprocess
import time

ORDERS = "/root/stand-in.json"
VHOST = "/etc/httpd/conf.d/15-horizon_vhost.conf"
RC = "/root/keystonerc_admin"

# As packstack's own openstackclient.pp writes it: the password as it is, between quotes.
CREDENTIALS = """\
unset OS_SERVICE_TOKEN
export OS_USERNAME={name}
export OS_PASSWORD='{password}'
export OS_REGION_NAME={region}
export OS_AUTH_URL={url}
export PS1='[\\u@\\h \\W(keystone_admin)]\\$ '

export OS_PROJECT_NAME=admin
export OS_USER_DOMAIN_NAME=Default
export OS_PROJECT_DOMAIN_NAME=Default
export OS_IDENTITY_API_VERSION=3
"""
# The part of puppetlabs-apache's that matters; the port is one that nobody else has.
HORIZON = """\
# ************************************
# Vhost template in module puppetlabs-apache
# Managed by Puppet
# ************************************

Listen 8099
<VirtualHost *:8099>
  ServerName controller

  ## Vhost docroot
  DocumentRoot "/var/www/html"

  ## WSGI configuration
{group}  WSGIDaemonProcess apache display-name=horizon processes=1 threads=2
  WSGIProcessGroup apache
</VirtualHost>
"""


def orders():
    if not os.path.exists(ORDERS):
        return {}
    with open(ORDERS) as file:
        return json.load(file)


def put(path, text, mode):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)


def leave(config, wanted):
    """What Puppet leaves behind."""
    admin = wanted.get("admin", {})
    put(
        RC,
        CREDENTIALS.format(
            name=config["CONFIG_KEYSTONE_ADMIN_USERNAME"],
            password=admin.get("password", config["CONFIG_KEYSTONE_ADMIN_PW"]),
            region=config["CONFIG_KEYSTONE_REGION"],
            url=admin.get("url", "http://%s:5000/v3" % config["CONFIG_CONTROLLER_HOST"]),
        ),
        0o600,
    )
    with open("/etc/os-release") as file:
        wsgi = "mod_wsgi" if 'VERSION_ID="7"' in file.read() else "python3-mod_wsgi"
    if not os.path.exists(os.path.dirname(VHOST)):
        subprocess.run(["yum", "-q", "-y", "install", "httpd", wsgi], check=True)
    group = "  WSGIApplicationGroup %{GLOBAL}\n" if wanted.get("group") else ""
    put(VHOST, HORIZON.format(group=group), 0o644)
    subprocess.run(["systemctl", "enable", "--quiet", "--now", "httpd"], check=True)


def log_in(hosts):
    """Log in to each host, as packstack does: without a terminal nobody can be asked for a password."""
    for host in hosts:
        options = [
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "BatchMode=yes",
        ]
        subprocess.run(["ssh", *options, "root@%s" % host.strip(), "true"], check=True)


def stand_in(title, config):
    """What is done in place of a step's own work."""

    def work(config, messages):
        wanted = orders()
        time.sleep(wanted.get("slow", {}).get(title, wanted.get("seconds", 0.1)))
        if wanted.get("fail") == title:
            # A real one shows what the shell did, and with that a password.
            password = config["CONFIG_KEYSTONE_ADMIN_PW"]
            raise RuntimeError("Error appeared during Puppet run: + mysql --password=%s" % password)
        if title == "Setting up ssh keys":
            log_in(config["CONFIG_COMPUTE_HOSTS"].split(","))
        if title == "Applying Puppet manifests":
            print("Applying %s_controller.pp" % config["CONFIG_CONTROLLER_HOST"])
            leave(config, wanted)

    return work


def main():
    from packstack.installer import run_setup
    from packstack.installer.core.sequences import Step

    def run_sequences():
        controller = run_setup.controller
        for sequence in controller.getAllSequences():
            for name, step in list(sequence.steps.items()):
                sequence.steps[name] = Step(name, stand_in(step.title, controller.CONF), title=step.title)
        controller.runAllSequences()

    run_setup.runSequences = run_sequences
    return run_setup.main()
