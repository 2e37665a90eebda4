"""Words of what somebody looks like, such as "blue top, backpack", and how well a track fits them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from mien.archive.records import Track
from mien.errors import UsageError
from mien.person.attributes import ATTRIBUTES
from mien.person.colour import COLOURS
from mien.records import Float32

_UPPER = ("top", "shirt", "tshirt", "jacket", "coat", "sweater", "pullover", "hoodie", "blouse")
_LOWER = ("trousers", "pants", "jeans", "shorts", "skirt", "bottom")
LOOKS = (*ATTRIBUTES, *(f"{part} {colour}" for part in ("upper", "lower") for colour in COLOURS))
"""What is kept of everybody's looks, in the order of the archive's columns; they stay as they are."""

_SPELLED = {"gray": "grey"}
_PHRASES: dict[str, tuple[str, bool]] = {
    "male": ("male", True),
    "man": ("male", True),
    "female": ("male", False),
    "woman": ("male", False),
    "backpack": ("backpack", True),
    "rucksack": ("backpack", True),
    "bag": ("bag", True),
    "handbag": ("bag", True),
    "hat": ("hat", True),
    "cap": ("hat", True),
    "coat": ("coat", True),
    "long sleeves": ("long_sleeves", True),
    "short sleeves": ("long_sleeves", False),
    "long trousers": ("long_trousers", True),
    "long pants": ("long_trousers", True),
    "shorts": ("long_trousers", False),
    "long hair": ("long_hair", True),
    "short hair": ("long_hair", False),
}
_NOT = ("no", "not", "without")
_FILLERS = ("a", "an", "the", "and", "with", "in", "wearing", "person")
_KNOWN = sorted({word for phrase in _PHRASES for word in phrase.split()} | {*_UPPER, *_LOWER, *COLOURS})
_LEAST = 0.02
"""What a word counts at least: a network that is sure and wrong must not hide a track that fits all others."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that is wanted.

    Attributes:
        what: an attribute of `mien.person.attributes`, or `upper` or `lower`.
        colour: of the clothes; None for an attribute.
        present: False where it is wanted not to be so.
    """

    what: str
    colour: str | None = None
    present: bool = True


def wanted_of(text: str) -> list[Wanted]:
    """What is wanted, from words in any order, with commas or without.

    Raises:
        UsageError: `attributes_empty`, or `attribute_unknown`; the message names the words that are known.

    Example:
        >>> wanted_of("blue top, no backpack")
        [Wanted(what='upper', colour='blue', present=True), Wanted(what='backpack', colour=None, present=False)]
    """
    words = [
        _SPELLED.get(word, word) for word in re.findall(r"[^\W_]+", re.sub(r"(?i)t-shirt", "tshirt", text.lower()))
    ]
    wanted: list[Wanted] = []
    present, place = True, 0
    while place < len(words):
        word, following = words[place], words[place + 1] if place + 1 < len(words) else ""
        place += 1
        if word in _NOT:
            present = False
            continue
        if word in _FILLERS:
            continue
        if word in COLOURS and following in (*_UPPER, *_LOWER):
            wanted.append(Wanted("upper" if following in _UPPER else "lower", word, present))
            place += 1
        elif f"{word} {following}" in _PHRASES:
            wanted.append(_attribute(f"{word} {following}", present))
            place += 1
        elif word in _PHRASES:
            wanted.append(_attribute(word, present))
        else:
            raise _unknown(word, following)
        present = True
    if not wanted:
        raise UsageError(
            f"{text!r} names nothing to look for; give words such as 'blue top, backpack'", code="attributes_empty"
        )
    return wanted


def looks_of(track: Track) -> Float32:
    """What a track looks like, float32 `(len(LOOKS),)` in [0, 1]; 0.5 for an attribute that is not known."""
    known = {name: track.probabilities.get(name, 0.5) for name in ATTRIBUTES}
    for part, shares in (("upper", track.upper), ("lower", track.lower)):
        known |= {f"{part} {colour}": share for colour, share in shares.items()}
    return np.array([known.get(name, 0.0) for name in LOOKS], np.float32)


def fits(looks: Float32, wanted: Sequence[Wanted]) -> Float32:
    """How well tracks fit, float32 `(T,)` in (0, 1]: the geometric mean over all that is wanted.

    An attribute counts with its confidence, a colour with the share of the track's shots that have it.

    Args:
        looks: float32 `(T, len(LOOKS))`, a row a track as of `looks_of`.
        wanted: at least one.
    """
    if not len(looks):
        return np.empty(0, np.float32)
    columns = [LOOKS.index(one.what if one.colour is None else f"{one.what} {one.colour}") for one in wanted]
    present = np.array([one.present for one in wanted])
    values = np.where(present, looks[:, columns], 1 - looks[:, columns])
    return np.exp(np.log(np.maximum(values, _LEAST)).mean(1)).astype(np.float32)


def _attribute(phrase: str, present: bool) -> Wanted:
    name, value = _PHRASES[phrase]
    return Wanted(name, None, value == present)


def _unknown(word: str, following: str) -> UsageError:
    if word in COLOURS:
        text = f"{word!r} of what? say for example '{word} top' or '{word} trousers'"
        text += f"; {following!r} is no piece of clothing that mien knows" if following else ""
    elif word in (*_UPPER, *_LOWER):
        text = f"what colour is the {word!r}? say for example 'blue {word}'"
    else:
        near = get_close_matches(word, _KNOWN, 3, 0.6)
        text = f"unknown word {word!r}" + (f"; did you mean {' or '.join(map(repr, near))}?" if near else "")
    return UsageError(
        f"{text}. Known are {', '.join(_PHRASES)}; and a colour ({', '.join(COLOURS)}) with a piece of clothing "
        f"({', '.join((*_UPPER, *_LOWER))}); each with 'no' in front for the opposite.",
        code="attribute_unknown",
    )
