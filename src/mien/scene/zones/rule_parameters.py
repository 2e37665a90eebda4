"""What each kind of rule can be told in the zone file; `mien.scene.zones.rules` acts on it.

Lengths are body heights (the height of the person's box) and speeds body heights a second, so that a rule means the
same near the camera and far from it. A walk is about 0.8 body heights a second, a run more than 1.5.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Seconds = Annotated[float, Field(ge=0, le=86_400)]
Positive = Annotated[float, Field(gt=0, le=1000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Rule(BaseModel):
    """What all rules have.

    Attributes:
        name: in the events; the kind and the zone by default.
        zone: where it applies; the whole picture by default.
        seconds: for how long it must be so before it is told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name | None = None
    zone: str | None = None


class Intrusion(_Rule):
    """Somebody is in a zone where nobody should be, longer than `seconds`."""

    kind: Literal["intrusion"]
    zone: str
    seconds: Seconds = 0.5


class Loitering(_Rule):
    """Somebody stays in the zone longer than `seconds`."""

    kind: Literal["loitering"]
    seconds: Seconds = 60.0


class WrongDirection(_Rule):
    """Somebody goes against the way that is allowed.

    Attributes:
        allowed: that way in the picture, `(x right, y down)`; its length does not matter. Within 90 degrees of it
            nobody is wrong.
        distance: body heights against it before it is told.
    """

    kind: Literal["wrong_direction"]
    allowed: tuple[FiniteFloat, FiniteFloat]
    distance: Positive = 1.0

    @model_validator(mode="after")
    def _has_direction(self) -> Self:
        if not any(self.allowed):
            raise ValueError("allowed = [0, 0] is no direction; give x to the right and y down, such as [1, 0]")
        return self


class Crowding(_Rule):
    """At least `people` are in the zone at once, longer than `seconds`."""

    kind: Literal["crowding"]
    people: Annotated[int, Field(ge=1, le=100_000)]
    seconds: Seconds = 2.0


class Running(_Rule):
    """Somebody is faster than `speed` body heights a second, longer than `seconds`."""

    kind: Literal["running"]
    speed: Positive = 1.5
    seconds: Seconds = 0.5


class Fall(_Rule):
    """Somebody who stood lies: the box turns from high to wide within about a second and stays so for `seconds`."""

    kind: Literal["fall"]
    seconds: Seconds = 1.0


Rule = Annotated[
    Intrusion | Loitering | WrongDirection | Crowding | Running | Fall,
    Field(discriminator="kind"),
]
RULE_KINDS: dict[str, type[BaseModel]] = {
    "intrusion": Intrusion,
    "loitering": Loitering,
    "wrong_direction": WrongDirection,
    "crowding": Crowding,
    "running": Running,
    "fall": Fall,
}


def rule_title(rule: Rule) -> str:
    """The rule's name; without one its kind, and its zone where it has one.

    Example:
        >>> rule_title(Loitering(kind="loitering", zone="counter"))
        'loitering counter'
    """
    return rule.name or " ".join(part for part in (rule.kind, rule.zone) if part)
