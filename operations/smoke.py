"""The smoke test's steps. A failed one fails nothing but its check: the rest, and the removal, go on."""

from __future__ import annotations

from typing import Any

from pyinfra import host, logger, state
from pyinfra.api import operation

from cloud import smoke
from cloud.model import Cloud
from facts.program import ask
from facts.reading import Unreadable
from operations import packstack
from operations.verdict import conclude, reports_here

# What was found in this run: filled by the steps, judged by `report`.
answers = smoke.Answers()
# IDs of what was removed, of which hosts may still have traces.
removed: list[str] = []


def _asked(program: str, **request: Any) -> Any:
    """A program's answer, or the reason (text) why there is none."""
    answer = ask(program, **request)
    if isinstance(answer, Unreadable):
        return answer.reason
    return answer["error"] if isinstance(answer, dict) and "error" in answer else answer


def _plan(cloud: Cloud) -> dict[str, Any]:
    return smoke.plan(cloud, answers.initiators)


def _volumes() -> dict[str, str]:
    """name -> ID of the volumes that were made and could be attached."""
    found = answers.phases.get("volume")
    if not isinstance(found, dict):
        return {}
    return {
        name: volume["id"] for name, volume in found.items() if "id" in volume and "refused" not in volume
    }


@operation()
def look(cloud: Cloud):
    """Ask a compute host whether its kernel can log in by iSCSI."""
    if state.is_executing:
        # In the inventory's order, whichever answers first.
        answers.initiators = {node.name: False for node in cloud.doing("compute")} | answers.initiators
        found = _asked("smoke_host", ids=[], names=[], limit=0)
        answers.initiators[host.name] = isinstance(found, dict) and found["initiator"]
    host.noop("read")
    return
    yield


@operation()
def api(cloud: Cloud, phase: str, store: str | None = None):
    """One phase of ``operations/remote/smoke.py``, on the first controller.

    Args:
        cloud: the model.
        phase: its name.
        store: the answer's name, where it is another one.
    """
    if state.is_executing:
        admin = packstack.login(cloud)
        request: dict[str, Any] = {"admin": admin, "phase": phase, "plan": _plan(cloud)}
        made = answers.phases.get("make")
        if isinstance(admin, Unreadable):
            answers.phases[store or phase] = admin.reason
        elif phase not in ("remove", "make") and not isinstance(made, dict):
            answers.phases[phase] = "not tried: the resources could not be made"
        else:
            answer = _asked("smoke", **request, made=made, volumes=_volumes())
            answers.phases[store or phase] = answer
            if phase == "remove" and isinstance(answer, dict):
                removed.extend(answer["ids"])
    host.noop("done")
    return
    yield


@operation()
def guests(cloud: Cloud, what: str):
    """Ask the instances from a machine in the provider network, through their floating IPs if they have any.

    Args:
        cloud: the model.
        what: ``reach``, ``write`` or ``read``; ``leave`` removes the machine.
    """
    if state.is_executing:
        made = answers.phases.get("make")
        probe = {
            "name": smoke.NAME,
            "switch": cloud.settings.l2_agent,
            "bridge": smoke.bridge(cloud, made),
        }
        if what == "leave":
            found = _asked("smoke_probe", **probe, probe=None, asks=[])
            if isinstance(found, str):
                logger.warning(f"{host.print_prefix}the probe could not be removed: {found}")
        elif isinstance(made, dict):
            plan = _plan(cloud)
            if what == "reach":
                asks = smoke.reach(plan, made)
            else:
                asks = smoke.on_volumes(plan, made, list(_volumes()), what)
            found = _asked("smoke_probe", **probe, probe=made["probe"], asks=asks)
            if isinstance(found, list):
                found = [
                    (item["server"], item["what"], reply["ok"], reply["text"])
                    for item, reply in zip(asks, found, strict=True)
                ]
            answers.guests[what] = found
        else:
            answers.guests[what] = "not tried: the resources could not be made"
    host.noop("done")
    return
    yield


@operation()
def traces(cloud: Cloud):
    """Look on a host for what is left of the removed resources."""
    if state.is_executing:
        found = _asked("smoke_host", ids=removed, names=[smoke.NAME], limit=smoke.LIMITS["traces"])
        answers.left[host.name] = found["left"] if isinstance(found, dict) else found
    host.noop("read")
    return
    yield


@operation()
def report(cloud: Cloud, file: str | None = None):
    """Print the verdict, once; write it to a file too.

    Args:
        cloud: the model.
        file: where the JSON report goes, on the machine that runs pyinfra.
    """
    if not reports_here():
        host.noop("another host reports")
        return
    yield from conclude("the smoke test", smoke.judge(cloud, answers), file)
