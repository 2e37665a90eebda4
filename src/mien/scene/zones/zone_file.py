"""Lines, zones and rules of a camera's picture, read from a TOML file and checked.

How a stream's loop uses them, with `mien.scene.zones.behaviour`:

    behaviour = Behaviour(load_zones(path))              # or Behaviour(Zones()): trajectories alone
    happenings = behaviour.update(ids, boxes, time=frame.time, width=width, height=height)     # every frame
    path = behaviour.path(track_id)                      # before it ends: [[seconds, x, y], ...], picture fractions
    happenings = behaviour.end(ended_ids, time=time)     # tracks that were given up: they leave their zones
    behaviour.summary()                                  # {"lines": {...}, "zones": {...}} of the contract

A happening has `event`, `track_id` (None where it is about a zone), `box` and `facts`: they become an `Event`.
Everything is in fractions of the picture, so that a stream may change its size.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mien.errors import BadInputError, nearest
from mien.media.files import read_toml, shown
from mien.scene.zones.messages import explained
from mien.scene.zones.rule_parameters import RULE_KINDS, Rule, rule_title

Fraction = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Fraction, Fraction]
Name = Annotated[str, Field(min_length=1, max_length=200)]

_SMALLEST_AREA = 1e-6
"""Of the picture; a triangle below it is a line."""


class Line(BaseModel):
    """A line that is crossed; `[[line]]` in the file.

    Attributes:
        name: of its own among the lines.
        start, end: `from` and `to` in the file, `(x, y)` in fractions of the picture's width and height.
        point: what crosses: `foot` (bottom centre of the box) or `centre`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    start: Point = Field(alias="from")
    end: Point = Field(alias="to")
    point: Literal["foot", "centre"] = "foot"

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"the line {self.name!r} begins and ends at {list(self.start)}; give two different points")
        return self


class Zone(BaseModel):
    """A part of the picture that people are in; `[[zone]]` in the file.

    Attributes:
        name: of its own among the zones.
        polygon: its corners in order, at least three, `(x, y)` in fractions; the last one is joined with the first.
        point: what must be inside: `foot` or `centre` of the box.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    polygon: tuple[Point, ...]
    point: Literal["foot", "centre"] = "foot"

    @model_validator(mode="before")
    @classmethod
    def _without_repeated_end(cls, values: Any) -> Any:
        corners = values.get("polygon") if isinstance(values, dict) else None
        if isinstance(corners, list) and len(corners) > 1 and corners[0] == corners[-1]:
            return {**values, "polygon": corners[:-1]}
        return values

    @model_validator(mode="after")
    def _is_a_polygon(self) -> Self:
        corners = self.polygon
        if len(set(corners)) < 3:
            raise ValueError(
                f"the polygon of zone {self.name!r} is open: it has {len(set(corners))} different corners; give at "
                "least three"
            )
        if _are_flat(corners):
            raise ValueError(f"the polygon of zone {self.name!r} has no area: its corners lie on one line; move one")
        crossing = _crossing_sides(corners)
        if crossing is not None:
            first, second = (f"{list(corners[at])} to {list(corners[(at + 1) % len(corners)])}" for at in crossing)
            raise ValueError(
                f"the polygon of zone {self.name!r} crosses itself: its sides {first} and {second} meet; give the "
                "corners in order around the zone"
            )
        return self


class Zones(BaseModel):
    """What a zone file holds; `Zones()` is an empty one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lines: tuple[Line, ...] = Field(default=(), alias="line")
    zones: tuple[Zone, ...] = Field(default=(), alias="zone")
    rules: tuple[Rule, ...] = Field(default=(), alias="rule")

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        titles = [rule_title(rule) for rule in self.rules]
        for kind, names in (
            ("line", [line.name for line in self.lines]),
            ("zone", [zone.name for zone in self.zones]),
            ("rule", titles),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"two {kind}s are called {twice!r}; give each a name of its own")
        known = [zone.name for zone in self.zones]
        for rule in self.rules:
            if rule.zone is not None and rule.zone not in known:
                raise ValueError(
                    f"the rule {rule_title(rule)!r} is about a zone {rule.zone!r} that the file does not have"
                    + nearest(rule.zone, known)
                )
        return self


def load_zones(path: str | os.PathLike[str]) -> Zones:
    """Reads a zone file.

    Args:
        path: TOML with any number of `[[line]]`, `[[zone]]` and `[[rule]]`; see `docs/zones.md`.

    Raises:
        BadInputError: `file_missing`, `file_is_directory` or `file_unreadable`; `zone_file_invalid`: no TOML, an
            unknown or missing key, a value of the wrong type or outside of the picture, an open polygon or one that
            crosses itself, two things of one name, a rule about a zone that is not there. The message names the place.
    """
    content = read_toml(path, what="zone file", code="zone_file_invalid")
    try:
        return Zones.model_validate(content)
    except ValidationError as error:
        raise _invalid(path, "; ".join(explained(one, _keys) for one in error.errors()[:3])) from error


def _invalid(path: str | os.PathLike[str], reason: str) -> BadInputError:
    return BadInputError(f"zone file {shown(path)}: {reason}", code="zone_file_invalid")


def _keys(location: Sequence[str | int]) -> list[str]:
    """The keys that are known at a place where an unknown one was found."""
    tables: dict[str | int, type[BaseModel]] = {"line": Line, "zone": Zone}
    model: type[BaseModel] = Zones
    if len(location) > 1:
        model = RULE_KINDS[str(location[2])] if location[0] == "rule" else tables[location[0]]
    return [field.alias or name for name, field in model.model_fields.items()]


def _crossing_sides(corners: Sequence[Point]) -> tuple[int, int] | None:
    """Numbers of the first two sides of a polygon that meet elsewhere than in a common corner."""
    count = len(corners)
    for first in range(count):
        for second in range(first + 1, count):
            a, b = corners[first], corners[(first + 1) % count]
            c, d = corners[second], corners[(second + 1) % count]
            are_neighbours = b == c or d == a
            if (not are_neighbours and _meet(a, b, c, d)) or (are_neighbours and _fold(a, b, c, d)):
                return first, second
    return None


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the sides a-b and c-d have a point in common."""
    if _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0:
        return True
    return any(
        _turn(p, q, r) == 0
        and min(p[0], q[0]) <= r[0] <= max(p[0], q[0])
        and min(p[1], q[1]) <= r[1] <= max(p[1], q[1])
        for p, q, r in ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    )


def _fold(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether of two sides with a common corner one runs back along the other."""
    if b != c:
        a, b, c, d = c, d, a, b
    return _turn(a, b, d) == 0 and (a[0] - b[0]) * (d[0] - b[0]) + (a[1] - b[1]) * (d[1] - b[1]) > 0


def _are_flat(corners: Sequence[Point]) -> bool:
    """Whether all corners lie on one line."""
    return all(abs(_turn(corners[0], b, c)) < _SMALLEST_AREA for b in corners for c in corners)
