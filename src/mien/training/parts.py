"""From names to objects: a recipe's table `{class = "package.module.Name", ...}` becomes that class, called.

A table names what it wants by import path; the rest of the table are arguments, checked against the signature and its
types before anything is called. Tables inside tables are made first. What the program knows only while it runs (the
data, the network, the seed) is offered by name: a class whose signature names it gets it, and no recipe says it.

Only mien's own modules and those of installed packages are imported, never files that happen to lie in the current
folder. A recipe decides which code runs, so run only recipes that you would run as a program.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ConfigDict, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from mien.errors import BadInputError, nearest

Part = Mapping[str, Any]
"""A table of a recipe with the key `class`."""


def build(part: Part, where: str, **offered: Any) -> Any:
    """Make the object that a table describes.

    Args:
        part: the table; its `class` is an import path, everything else are arguments.
        where: the table's name in the recipe, for messages, e.g. `network`.
        offered: values for parameters of these names, for this class and those in tables inside.

    Raises:
        BadInputError: `recipe_class`, `recipe_key_unknown`, `recipe_key_missing`, `recipe_value`.

    Example:
        >>> build({"class": "mien.training.loop.schedule.Cosine", "warm_up": 5.0}, "schedule")
        Cosine(warm_up=5.0, last=0.0)
    """
    check(part, where, offered)
    made = named(part["class"], where)
    arguments = {
        name: _build_inside(value, f"{where}.{name}", offered) for name, value in part.items() if name != "class"
    }
    wanted = inspect.signature(made).parameters
    arguments |= {name: value for name, value in offered.items() if name in wanted}
    return made(**arguments)


def check(part: Part, where: str, offered: Iterable[str] = ()) -> None:
    """Raise what `build` would raise for this table, without making anything.

    Raises:
        BadInputError: as `build`.
    """
    if not isinstance(part.get("class"), str):
        raise BadInputError(
            f'{where}: names no class; expected a line like class = "mien.training.networks.osnet.OSNet"',
            code="recipe_class",
        )
    made = named(part["class"], where)
    parameters = inspect.signature(made).parameters
    hints = _hints(made)
    offered = set(offered)
    for name, value in part.items():
        if name == "class":
            continue
        if name not in parameters or name in offered:
            known = [other for other in parameters if other not in offered]
            raise unknown_key(name, known, f"{where} ({part['class']})")
        if _holds_part(value):
            for place, inner in _parts_in(value, f"{where}.{name}"):
                check(inner, place, offered)
        elif name in hints:
            _check_value(value, hints[name], f"{where}.{name}")
    missing = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in part
        and name not in offered
    ]
    if missing:
        raise BadInputError(
            f"{where} ({part['class']}): lacks {', '.join(missing)}; add it to the recipe", code="recipe_key_missing"
        )


def named(path: str, where: str) -> Callable[..., Any]:
    """The class or function of an import path.

    Raises:
        BadInputError: `recipe_class`: no such module or name, or the module is neither mien's nor installed.
    """
    module_name, _, name = path.rpartition(".")
    top = module_name.partition(".")[0]
    if not top or not all(piece.isidentifier() for piece in path.split(".")):
        raise BadInputError(f"{where}: class = {path!r} is not of the form package.module.Name", code="recipe_class")
    if top != "mien" and top not in importlib.metadata.packages_distributions():
        raise BadInputError(
            f"{where}: class = {path!r} is outside mien and {top!r} is no installed package; install the package that "
            "holds the class",
            code="recipe_class",
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise BadInputError(f"{where}: class = {path!r} cannot be imported: {error}", code="recipe_class") from error
    made = getattr(module, name, None)
    if not callable(made):
        names = [other for other, value in vars(module).items() if callable(value) and not other.startswith("_")]
        raise BadInputError(f"{where}: {module_name} has no class {name!r}{nearest(name, names)}", code="recipe_class")
    return typing.cast(Callable[..., Any], made)


def unknown_key(name: str, known: Iterable[str], where: str) -> BadInputError:
    """The error for a key that nobody knows, with the nearest that somebody does."""
    hint = nearest(name, sorted(known)) or "; it takes nothing"
    return BadInputError(f"{where}: unknown key {name!r}{hint}", code="recipe_key_unknown")


def _hints(made: Callable[..., Any]) -> dict[str, Any]:
    # A class that writes no constructor of its own (a dataclass) has its annotations on itself.
    target = vars(made).get("__init__", made) if isinstance(made, type) else made
    try:
        return typing.get_type_hints(target)
    except Exception:  # a foreign class may hold annotations that cannot be looked up; then the call itself checks
        return {}


def _check_value(value: Any, hint: Any, where: str) -> None:
    """Strictly as JSON would be: text for a path and a list for a tuple are right, text for a number is not."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except (PydanticSchemaGenerationError, SchemaError) as error:  # a protocol: only an object can be one
        raise BadInputError(f"{where} = {value!r}: expected a table that names a class", code="recipe_value") from error
    except PydanticUserError:  # the hint is a pydantic model, with a config of its own
        adapter = TypeAdapter(hint)
    try:
        adapter.validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([where, *(str(piece) for piece in first["loc"])])
        wanted = getattr(hint, "__name__", str(hint)) if not isinstance(hint, types.UnionType) else str(hint)
        raise BadInputError(
            f"{place} = {first['input']!r}: {first['msg']} (expected: {wanted})", code="recipe_value"
        ) from error


def _holds_part(value: Any) -> bool:
    return (isinstance(value, Mapping) and "class" in value) or (
        isinstance(value, list) and any(_holds_part(item) for item in value)
    )


def _parts_in(value: Any, where: str) -> list[tuple[str, Part]]:
    if isinstance(value, Mapping):
        return [(where, value)]
    for position, item in enumerate(value):
        if not _holds_part(item):
            raise BadInputError(f"{where}[{position}]: names no class, its neighbours do", code="recipe_class")
    return [part for position, item in enumerate(value) for part in _parts_in(item, f"{where}[{position}]")]


def _build_inside(value: Any, where: str, offered: Mapping[str, Any]) -> Any:
    if not _holds_part(value):
        return value
    if isinstance(value, Mapping):
        return build(value, where, **offered)
    return [_build_inside(item, f"{where}[{position}]", offered) for position, item in enumerate(value)]
