"""What is wrong with a zone file, in words: the place, what was given, what was expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic_core import ErrorDetails

from mien.errors import nearest

Location = tuple[str | int, ...]

_TABLES = ("line", "zone", "rule")
_POINTS = {"from", "to", "polygon"}


def explained(error: ErrorDetails, keys: Callable[[Location], Sequence[str]]) -> str:
    """One of pydantic's findings as a sentence.

    Args:
        error: the finding.
        keys: the keys that are known at the place of an unknown one.
    """
    location, given = error["loc"], error["input"]
    place = _place(location)
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "extra_forbidden":
            return f"{place}: there is no such key" + nearest(str(location[-1]), keys(location))
        case "missing":
            return f"{place} is missing"
        case "greater_than_equal" | "less_than_equal" if _POINTS & set(location):
            return (
                f"{place} = {given!r} lies outside of the picture; points are fractions of its width and height, "
                "between 0 and 1: divide pixels by them"
            )
        case "finite_number" if _POINTS & set(location):
            return f"{place} = {given!r}; points are fractions between 0 and 1"
        case "tuple_type" | "list_type" if location in (("line",), ("zone",), ("rule",)):
            return f"{location[0]} is no list of tables: write its heading with two brackets, {place}"
        case "union_tag_invalid":
            kinds = [kind.strip().strip("'") for kind in str(error["ctx"]["expected_tags"]).split(",")]
            kind = str(error["ctx"]["tag"])
            return f"{place}: {kind!r} is no kind of rule{nearest(kind, kinds)}; there are {', '.join(kinds)}"
        case "union_tag_not_found":
            return f'{place} has no kind; write one such as kind = "loitering"'
    return f"{place} = {given!r}: {error['msg']}"


def _place(location: Location) -> str:
    """Where in the file.

    Example:
        >>> _place(("zone", 1, "polygon", 0, 1))
        '[[zone]] number 2, polygon, value 1, value 2'
    """
    if not location:
        return "the file"
    parts = []
    if location[0] in _TABLES:
        is_entry = len(location) > 1
        parts.append(f"[[{location[0]}]]" + (f" number {int(location[1]) + 1}" if is_entry else ""))
        # After a rule's number pydantic puts its kind, which the file does not have as a key.
        location = location[3:] if location[0] == "rule" else location[2:]
    return ", ".join(parts + [str(part) if isinstance(part, str) else f"value {part + 1}" for part in location])
