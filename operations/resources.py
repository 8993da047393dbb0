"""Flavors, images, networks, volumes, instances and all else that is declared: made, or removed.

One process on the first controller reads what is there, and one more takes all steps (design rule 7).
"""

from __future__ import annotations

from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import FactBase, FunctionCommand, operation
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS

from cloud import identity, resource_files, resource_plan, resource_removal
from cloud.model import Cloud
from cloud.resource_images import STAGING
from cloud.resource_steps import Step
from facts.program import ask
from facts.reading import Unreadable, read
from operations import packstack
from operations.failure import fail

PROGRAM = "sdk_resources"
IDENTITY_WAIT = 60  # seconds


class EmptyStaging(FactBase):
    """Makes the folder for the images' files, or removes from it what a killed run left there."""

    def command(self) -> str:
        return f"install -d -m 700 {STAGING} && rm -f {STAGING}/*"

    def process(self, output: list[str]) -> bool:
        return True


@operation()
def present(cloud: Cloud):
    """Bring the cloud to what ``cloud.settings.resources`` declares.

    Every reference and every file is checked before the first change. What is there and can't be changed in
    place is an error; nothing is removed.

    Args:
        cloud: the model. The images' files lie on the machine that runs pyinfra.
    """
    resources = cloud.settings.resources
    files = resource_files.read(resources)
    problems = resource_plan.missing_passwords(resources, cloud.secrets)
    found = _read(cloud)
    if isinstance(found, Unreadable):
        yield fail(found.reason)
        return
    accounts = []
    try:
        accounts = _plan_accounts(cloud, found)
    except ValueError as problem:
        problems += str(problem).splitlines()
    steps: list[Step] = []
    try:
        steps = resource_plan.plan(found, resources, files)
    except ValueError as problem:
        problems += str(problem).splitlines()
    if problems:
        yield fail(_listed("nothing was created", problems))
        return
    changes = [identity.describe(action) for action in accounts] + _named(steps)
    # A step may only wait, for what a killed run began.
    if not accounts and not steps:
        host.noop("all of it is there")
        return
    _announce(changes)

    # Secrets are in this function's closure: pyinfra may print a command's arguments.
    def make(state, host, changes: list[str]) -> bool:
        if accounts and not _make_accounts(cloud, accounts):
            return False
        if not _stage(resources, steps):
            return False
        return _take(cloud, steps, lambda found: resource_plan.plan(found, resources, files))

    yield FunctionCommand(make, (changes,), {})


@operation()
def absent(cloud: Cloud):
    """Remove what ``cloud.settings.resources`` declares, and nothing else.

    Args:
        cloud: the model.
    """
    resources = cloud.settings.resources
    found = _read(cloud)
    if isinstance(found, Unreadable):
        yield fail(found.reason)
        return
    try:
        steps = resource_removal.plan(found, resources)
    except ValueError as problem:
        yield fail(_listed("nothing was removed", str(problem).splitlines()))
        return
    changes = _named(steps)
    if not changes:
        host.noop("none of it is there")
        return
    _announce(changes)

    def remove(state, host, changes: list[str]) -> bool:
        return _take(cloud, steps, lambda found: resource_removal.plan(found, resources))

    yield FunctionCommand(remove, (changes,), {})


def _listed(what: str, problems: list[str]) -> str:
    """One problem on the same line, several on a line each."""
    if len(problems) == 1:
        return f"{what}: {problems[0]}"
    return f"{what}:" + "".join(f"\n  - {problem}" for problem in problems)


def _named(steps: list[Step]) -> list[str]:
    """What changes; the others only look, or wait."""
    return [step.what for step in steps if step.method != "GET"]


def _read(cloud: Cloud) -> dict[str, Any] | Unreadable:
    answer = _ask(cloud, [])
    if isinstance(answer, Unreadable):
        return answer
    return Unreadable(answer["error"]) if answer["error"] else answer["state"]


def _ask(cloud: Cloud, steps: list[Step]) -> dict[str, Any] | Unreadable:
    admin = packstack.login(cloud)
    if isinstance(admin, Unreadable):
        return admin
    return ask(
        PROGRAM,
        admin=admin,
        steps=[step.plain() for step in steps],
        ask={
            **resource_plan.questions(cloud.settings.resources),
            "stores": "cinder" in cloud.services,
            "self_service": cloud.self_service,
        },
    )


def _announce(changes: list[str]) -> None:
    if state.config.DIFF:
        for change in changes:
            logger.info(f"{host.print_prefix}Will {change}")


def _ask_keystone(cloud: Cloud, actions: list[dict[str, Any]]) -> dict[str, Any] | Unreadable:
    users = resource_plan.identities(cloud.settings.resources, cloud.secrets)["users"]
    admin = packstack.login(cloud)
    if isinstance(admin, Unreadable):
        return admin
    return ask(
        "sdk_identity",
        admin=admin,
        timeout=IDENTITY_WAIT if state.is_executing else 0,
        actions=[{**action, "what": identity.describe(action)} for action in actions],
        passwords={user.name: user.password for user in users},
    )


def _plan_accounts(cloud: Cloud, found: dict[str, Any]) -> list[dict[str, Any]]:
    """What keystone lacks.

    Raises:
        ValueError: what keystone says, or what stands in the way.
    """
    resources = cloud.settings.resources
    if not resource_plan.needs_identities(found, resources):
        return []
    keystone = _ask_keystone(cloud, [])
    if isinstance(keystone, Unreadable):
        raise ValueError(keystone.reason)
    return identity.plan(keystone, **resource_plan.identities(resources, cloud.secrets))


def _make_accounts(cloud: Cloud, actions: list[dict[str, Any]]) -> bool:
    answer = _ask_keystone(cloud, actions)
    if isinstance(answer, Unreadable):
        logger.error(f"{host.print_prefix}{answer.reason}")
        return False
    for action in actions:
        logger.info(f"{host.print_prefix}{identity.describe(action)}")
    return True


def _stage(resources: Any, steps: list[Step]) -> bool:
    """Put the files of the images that will be made on the controller, where root only can read them."""
    wanted = {step.content["sha256"]: step.content["path"] for step in steps if step.content}
    if not wanted:
        return True
    emptied = read(EmptyStaging)
    if isinstance(emptied, Unreadable):
        logger.error(f"{host.print_prefix}{STAGING} can't be made: {emptied.reason}")
        return False
    local = {step.makes: step.content["path"] for step in steps if step.content and "url" not in step.content}
    given = host.current_op_global_arguments or {}
    arguments = {key: given[key] for key in CONNECTOR_ARGUMENT_KEYS if key in given}
    for image in resources.images:
        target = local.get(f"images:{image.name}")
        if not target:
            continue
        try:
            sent = host.put_file(str(image.file), target, **arguments)
        except OSError as error:
            sent = False
            logger.error(f"{host.print_prefix}{image.file} can't be copied to {STAGING}: {error}")
        if not sent:
            return False
    return True


def _take(cloud: Cloud, steps: list[Step], again) -> bool:
    """Take the steps, name those that were taken, and look whether there is nothing left to do."""
    answer = _ask(cloud, steps)
    if isinstance(answer, Unreadable):
        logger.error(f"{host.print_prefix}{answer.reason}")
        return False
    for change in _named(steps[: answer["done"]]):
        logger.info(f"{host.print_prefix}{change}")
    if answer["error"]:
        logger.error(f"{host.print_prefix}{answer['error']}")
        return False
    try:
        left = [step.what for step in again(answer["state"])]
    except ValueError as problem:
        left = str(problem).splitlines()
    if left:
        logger.error(
            f"{host.print_prefix}all steps were accepted, but there is still to do: {'; '.join(left)}"
        )
        return False
    return True
