"""OpenStack releases, ordered by age, and which of them a platform can install."""

from __future__ import annotations

from functools import total_ordering

# Oldest first. Only the order matters here; the letters ran out with Zed, the names go on from Antelope.
BY_AGE = (
    "liberty", "mitaka", "newton", "ocata", "pike", "queens", "rocky", "stein", "train", "ussuri", "victoria",
    "wallaby", "xena", "yoga", "zed", "antelope", "bobcat", "caracal", "dalmatian", "epoxy", "flamingo",
)  # fmt: skip

# What can be deployed today: release -> the major version of the operating system that packages it.
# A release stands here when it was deployed and verified on real hosts, not when its names are known.
AVAILABLE: dict[str, dict[str, str]] = {
    "debian": {"epoxy": "13"},
}


@total_ordering
class Release:
    """A release by name, comparable by age, also with a plain name: ``release >= "ocata"``.

    Args:
        name: a name from :data:`BY_AGE`, in lower case.

    Raises:
        ValueError: the name is not a release we know; the message lists those we do.
    """

    def __init__(self, name: str):
        if name not in BY_AGE:
            raise ValueError(f"unknown release {name!r}; known, oldest first: {', '.join(BY_AGE)}")
        self.name = name

    def _age(self, other: object) -> int:
        return BY_AGE.index(Release(str(other)).name)

    def __eq__(self, other: object) -> bool:
        return str(other) == self.name

    def __lt__(self, other: object) -> bool:
        return BY_AGE.index(self.name) < self._age(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Release({self.name!r})"


def refusal(release: str, platform: str) -> str | None:
    """Why ``release`` can't be deployed on ``platform``, in the operator's words; None when it can."""
    if release not in BY_AGE:
        return f"unknown release {release!r}; known, oldest first: {', '.join(BY_AGE)}"
    if platform not in AVAILABLE:
        return f"unknown platform {platform!r}; known: {', '.join(sorted(AVAILABLE))}"
    if release not in AVAILABLE[platform]:
        offered = ", ".join(f"{name} (on {platform} {v})" for name, v in AVAILABLE[platform].items())
        return f"platform {platform!r} does not have release {release!r}; it has: {offered}"
    return None
