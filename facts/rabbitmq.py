"""What RabbitMQ holds."""

from __future__ import annotations

import json
import re

from pyinfra.api import FactBase

from facts.reading import Unreadable


class RabbitMq(FactBase[dict | Unreadable]):
    """Users with the hashes of their passwords, virtual hosts, permissions and plugins, in one round trip.

    One start of Erlang (a second or two) for all of it. Read it with :func:`facts.reading.read`.

    Answers RabbitMQ's definitions (``users``, ``vhosts``, ``permissions``, …) and ``plugins``, a list.

    Source: rabbitmqctl(8), ``export_definitions``; from 3.8.2 on.
    """

    def command(self) -> str:
        # Standard input is closed because some versions wait for it. rabbitmqctl's own words are a page long
        # and tell a hash of Erlang's cookie.
        return (
            "if [ -e /etc/rabbitmq/enabled_plugins ]; then cat /etc/rabbitmq/enabled_plugins; fi && "
            "{ LC_ALL=C.UTF-8 rabbitmqctl --quiet export_definitions - </dev/null 2>/dev/null || "
            "{ echo 'rabbitmqctl export_definitions failed: is the server running?' >&2; exit 1; }; }"
        )

    def process(self, output: list[str]) -> dict | Unreadable:
        # The plugins are an Erlang term, maybe of several lines: [rabbitmq_management,rabbitmq_shovel].
        plugins, start, definitions = "\n".join(output).partition("{")
        try:
            answer = json.loads(start + definitions)
        except ValueError:
            # Not the text: it holds hashes.
            return Unreadable("rabbitmqctl export_definitions gave no JSON")
        return {**answer, "plugins": re.findall(r"[a-z]\w*", plugins)}
