"""Which cameras there are, which lead to which and how long people take: a TOML file, read and checked.

    memory = 600                      # seconds for which somebody is remembered after they were last seen
    stray = 0.05                      # share of people who go along no link, or are missed by a camera on the way
    anywhere = [-5, 30, 300]          # how long those take

    [[camera]]
    name = "entrance"
    source = "rtsp://10.0.0.7/main"   # for `mien cameras follow`
    zones = "entrance.toml"           # its lines, zones and rules, if any
    clock_offset = 0.0                # seconds to add to its times

    [[link]]
    from = "entrance"
    to = "hall"
    seconds = [4, 12, 60]             # shortest, typical, longest: 5%, 50% and 95% of people
    share = 0.7                       # of those who leave `from`; links without it share what is left evenly
    both_ways = true

Seconds are counted from when somebody is last seen in one camera to when they are first seen in the other; they are
negative where the cameras see the same place.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from mien.cameras.travel import Travel
from mien.errors import BadInputError, nearest
from mien.media.files import read_toml, shown

_SLACK = 1e-9

Name = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = tuple[
    Annotated[float, Field(allow_inf_nan=False)],
    Annotated[float, Field(allow_inf_nan=False)],
    Annotated[float, Field(allow_inf_nan=False)],
]


class Camera(BaseModel):
    """One camera; `[[camera]]` in the file.

    Attributes:
        name: of its own.
        source: file, folder, device or address that `mien cameras follow` watches.
        zones: its zone file.
        clock_offset: seconds that are added to its times.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    source: str | None = None
    zones: str | None = None
    clock_offset: float = Field(default=0.0, allow_inf_nan=False)


class Link(BaseModel):
    """A way from one camera to another; `[[link]]` in the file.

    Attributes:
        origin, destination: `from` and `to` in the file, names of cameras; the same one where people come back.
        seconds: shortest, typical and longest time on the way.
        share: in (0, 1], of those who leave `origin` and are seen again.
        both_ways: the same holds for the way back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    origin: Name = Field(alias="from")
    destination: Name = Field(alias="to")
    seconds: Seconds
    share: float | None = Field(default=None, gt=0, le=1)
    both_ways: bool = False

    @model_validator(mode="after")
    def _seconds_rise(self) -> Self:
        _check_rising(self.seconds, f"the link from {self.origin!r} to {self.destination!r}, seconds")
        return self


class Topology(BaseModel):
    """What a topology file holds.

    Attributes:
        cameras: at least one, names of their own.
        links: at most one for each direction between two cameras.
        memory: seconds > 0 for which somebody is remembered.
        stray: share in (0, 1) of people who go along no link; without links everybody does.
        anywhere: shortest, typical and longest time of those.
        returning: share in (0, 1) of sightings that show somebody who is remembered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cameras: tuple[Camera, ...] = Field(alias="camera", min_length=1)
    links: tuple[Link, ...] = Field(default=(), alias="link")
    memory: float = Field(default=600.0, gt=0, allow_inf_nan=False)
    stray: float = Field(default=0.05, gt=0, lt=1)
    anywhere: Seconds = (-5.0, 30.0, 300.0)
    returning: float = Field(default=0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _check_rising(self.anywhere, "anywhere")
        names = self.names
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two cameras are called {twice!r}; give each a name of its own")
        for link in self.links:
            for end in (link.origin, link.destination):
                if end not in names:
                    raise ValueError(f"a link names the camera {end!r}, which is not there{nearest(end, names)}")
        pairs = [pair for link in self.links for pair in _directions(link)]
        twofold = next((pair for pair in pairs if pairs.count(pair) > 1), None)
        if twofold is not None:
            raise ValueError(
                f"two links lead from {twofold[0]!r} to {twofold[1]!r}; keep one (both_ways counts as two)"
            )
        for name in names:
            total = sum(link.share or 0.0 for link in self.links if (name, _other(link, name)) in _directions(link))
            if total > 1 + _SLACK:
                raise ValueError(f"the shares of the links from {name!r} sum to {total:g}; they sum to 1 at most")
        return self

    @property
    def names(self) -> list[str]:
        """The cameras' names in the file's order."""
        return [camera.name for camera in self.cameras]

    def ways(self) -> dict[tuple[str, str], tuple[Travel, float]]:
        """For each pair of linked cameras the time that people take, and which share of those who leave goes there.

        Shares of one camera are completed: links without one divide what the others leave, and they are scaled to 1.
        """
        ways: dict[tuple[str, str], tuple[Travel, float]] = {}
        for name in self.names:
            out = [(pair[1], link) for link in self.links for pair in _directions(link) if pair[0] == name]
            given = sum(link.share or 0.0 for _, link in out)
            open_links = sum(link.share is None for _, link in out)
            rest = max(1 - given, 0.0) / open_links if open_links else 0.0
            # A link that was named leads somewhere, even where the others' shares leave nothing for it.
            shares = [max(rest, 0.01) if link.share is None else link.share for _, link in out]
            for (destination, link), share in zip(out, shares, strict=True):
                ways[name, destination] = Travel(*link.seconds), share / sum(shares)
        return ways


def load_topology(path: str | os.PathLike[str]) -> Topology:
    """Reads a topology file.

    Raises:
        BadInputError: `file_missing`, `file_is_directory` or `file_unreadable`; `topology_file_invalid`: no TOML, an
            unknown or missing key, a link to a camera that is not there, times that do not rise, shares above 1. The
            message names the place and the nearest known name.
    """
    content = read_toml(path, what="topology file", code="topology_file_invalid")
    try:
        return Topology.model_validate(content)
    except ValidationError as error:
        raise _invalid(path, "; ".join(_explained(one) for one in error.errors()[:3])) from error


def topology_text(topology: Topology) -> str:
    """A topology as a file that `load_topology` reads; numbers to three places."""
    lines = [f"{key} = {_number(getattr(topology, key))}" for key in ("memory", "stray", "returning")]
    lines.append(f"anywhere = {_numbers(topology.anywhere)}")
    for camera in topology.cameras:
        lines += ["", "[[camera]]", f"name = {_quoted(camera.name)}"]
        if camera.source is not None:
            lines.append(f"source = {_quoted(camera.source)}")
        if camera.zones is not None:
            lines.append(f"zones = {_quoted(camera.zones)}")
        if camera.clock_offset:
            lines.append(f"clock_offset = {_number(camera.clock_offset)}")
    for link in topology.links:
        lines += ["", "[[link]]", f"from = {_quoted(link.origin)}", f"to = {_quoted(link.destination)}"]
        lines.append(f"seconds = {_numbers(link.seconds)}")
        if link.share is not None:
            lines.append(f"share = {_number(link.share)}")
        if link.both_ways:
            lines.append("both_ways = true")
    return "\n".join(lines) + "\n"


def _directions(link: Link) -> list[tuple[str, str]]:
    there = (link.origin, link.destination)
    return [there, there[::-1]] if link.both_ways and link.origin != link.destination else [there]


def _other(link: Link, name: str) -> str:
    return link.destination if link.origin == name else link.origin


def _check_rising(seconds: Sequence[float], place: str) -> None:
    if not seconds[0] <= seconds[1] <= seconds[2] or seconds[0] == seconds[2]:
        raise ValueError(f"{place} = {list(seconds)}: give the shortest, typical and longest time, in rising order")


def _explained(error: ErrorDetails) -> str:
    location = error["loc"]
    place = _place(location)
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "extra_forbidden":
        models: dict[Any, type[BaseModel]] = {"camera": Camera, "link": Link}
        model = models.get(location[0], Topology) if len(location) > 1 else Topology
        known = [field.alias or name for name, field in model.model_fields.items()]
        return f"{place}: there is no such key{nearest(str(location[-1]), known)}"
    if error["type"] == "missing":
        return f"{place} is missing"
    return f"{place} = {error['input']!r}: {error['msg']}"


def _place(location: tuple[str | int, ...]) -> str:
    """Where in the file, e.g. `[[link]] number 2, seconds, value 1`."""
    parts = []
    if location and location[0] in ("camera", "link"):
        parts.append(f"[[{location[0]}]]" + (f" number {int(location[1]) + 1}" if len(location) > 1 else ""))
        location = location[2:]
    return ", ".join(parts + [part if isinstance(part, str) else f"value {part + 1}" for part in location])


def _invalid(path: str | os.PathLike[str], reason: str) -> BadInputError:
    return BadInputError(f"topology file {shown(path)}: {reason}", code="topology_file_invalid")


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(character):04X}"
        if not character.isprintable()
        else {'"': '\\"', "\\": "\\\\"}.get(character, character)
        for character in text
    )
    return f'"{escaped}"'


def _number(value: float) -> str:
    rounded = round(value, 3)
    return str(int(rounded)) if math.isclose(rounded, int(rounded)) else repr(rounded)


def _numbers(values: Sequence[float]) -> str:
    return f"[{', '.join(_number(value) for value in values)}]"
