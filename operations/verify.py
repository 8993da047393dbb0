"""Ask the hosts and the APIs, and give the verdict. Reads only; a failed check fails the run."""

from __future__ import annotations

import time

import gevent
from pyinfra import host, inventory, logger, state
from pyinfra.api import FactBase, operation
from pyinfra.context import ctx_host

from cloud import expected, verify
from cloud.model import Cloud
from cloud.verdict import Answers
from facts.program import ask
from facts.reading import Unreadable, read
from operations import galera, keystone, packstack, rabbitmq_cluster
from operations.verdict import conclude, reports_here

# What the hosts answered in this run: filled by `collect`, on all hosts at once, and judged by `report`.
answers = Answers()


class Clock(FactBase):
    """The host's clock, in seconds since the epoch."""

    def command(self) -> str:
        return "date +%s.%N"

    def process(self, output: list[str]) -> float:
        return float(output[0])


def _clock() -> tuple[float, float] | None:
    """(the host's clock minus ours, what that may be off by: half the way there and back), the best of 2."""
    readings = []
    for _ in range(2):
        asked = time.time()
        there = read(Clock)
        took = time.time() - asked
        if not isinstance(there, Unreadable):
            readings.append((there - asked - took / 2, took / 2))
    return min(readings, key=lambda reading: reading[1], default=None)


def _plain(answer):
    return answer.reason if isinstance(answer, Unreadable) else answer


def _ask_apis(cloud: Cloud, patience: int) -> dict | str:
    """What the APIs report; asked again for ``patience`` seconds while some service is still to report."""
    end = time.monotonic() + patience
    admin = packstack.login(cloud)
    if isinstance(admin, Unreadable):
        return admin.reason
    while True:
        answer = _plain(ask("verify_api", **verify.api_request(cloud, admin)))
        if verify.all_reported(cloud, answer) or time.monotonic() >= end:
            return answer
        time.sleep(2)


@operation()
def collect(cloud: Cloud, patience: int = 0):
    """Read everything this host can tell; the first controller also asks the APIs and the databases.

    Args:
        cloud: the model.
        patience: seconds at most to wait until every service and agent has sent its first heartbeat.
    """
    if not state.is_executing:
        host.noop("verification reads when the run is executed")
        return
    node = cloud.node(host)
    name, current = host.name, ctx_host.get()
    answers.asker = _asker(cloud)

    def on_this_host(function, *arguments, **keywords):
        # A greenlet starts without pyinfra's "current host".
        def run():
            with ctx_host.use(current):
                return function(*arguments, **keywords)

        return gevent.spawn(run)

    clock = _clock()
    if clock:
        answers.clocks[name] = clock
    jobs = {
        "host": on_this_host(
            ask,
            "verify_host",
            ports=[(port.address, port.port) for port in expected.ports(cloud) if port.host == name],
            units=expected.units(cloud, name),
            volume_group=cloud.settings.volume_group if cloud.does("storage", host) else None,
            bridge=verify.INTEGRATION_BRIDGE if "openvswitch" in cloud.network_agents(host) else None,
            patience=patience,
            yum=verify.has_yum(cloud, name),
            address=str(cloud.settings.virtual_address) if cloud.does("loadbalancer", host) else None,
            proxy=node.path("haproxy-socket") if cloud.does("loadbalancer", host) else None,
            images=expected.IMAGES_PROGRAM if expected.mirrors(cloud, name) else None,
        )
    }
    if host.name in expected.members(cloud):
        jobs["galera"] = on_this_host(ask, "galera_member", **galera.request(cloud))
        jobs["rabbitmq"] = on_this_host(
            ask, "rabbitmq_member", **rabbitmq_cluster.request(cloud, queues=True)
        )
    if host.name in expected.keys(cloud):
        jobs["keys"] = on_this_host(ask, "keystone_keys", **keystone.request())
    if host.name == answers.asker:
        commands = {name: service.spec.status_command for name, service in cloud.services.items()}
        jobs["api"] = on_this_host(_ask_apis, cloud, patience)
        if not cloud.packstack:  # which has the databases' passwords
            jobs["schemas"] = on_this_host(ask, "schema_state", **cloud.schema_request(node))
        jobs["upgrades"] = on_this_host(
            ask, "upgrade_checks", checks={name: command for name, command in commands.items() if command}
        )
    results = {key: _plain(job.get()) for key, job in jobs.items()}
    answers.hosts[name] = results.pop("host")
    for key in ("galera", "rabbitmq", "keys"):
        part = results.pop(key, None)
        if part is not None and isinstance(answers.hosts[name], dict):
            answers.hosts[name][key] = {"error": part} if isinstance(part, str) else part
    for key, result in results.items():
        setattr(answers, key, result)
    host.noop("read")
    return
    yield


def _asker(cloud: Cloud) -> str:
    """The controller that asks the APIs and the databases: the first one that takes part in this run."""
    there = {member.name for member in state.active_hosts if state.is_host_in_limit(member)}
    controllers = cloud.work["controller"]
    return next((name for name in controllers if name in there), controllers[0])


@operation()
def report(cloud: Cloud, file: str | None = None):
    """Print the verdict, once, from the first host that is still there; write it to a file too.

    Args:
        cloud: the model.
        file: where the JSON report goes, on the machine that runs pyinfra.
    """
    if not reports_here():
        host.noop("another host reports")
        return
    answers.left_out = [member.name for member in inventory if not state.is_host_in_limit(member)]
    verdict = verify.judge(cloud, answers)
    yield from conclude("verification", verdict, file)
    if verdict.ok:
        for line in _welcome(cloud):
            logger.info(line)


def _welcome(cloud: Cloud) -> list[str]:
    """Where a user begins."""
    controller = cloud.first("controller")
    place = "/root/admin-openrc.sh there" if cloud.packstack else "secrets.toml"
    return [
        f"Horizon:     {cloud.horizon_url} as admin in the domain Default; {place} has the password",
        f"Credentials: on {controller.name} ({controller.address}), as root: . /root/admin-openrc.sh",
    ]
