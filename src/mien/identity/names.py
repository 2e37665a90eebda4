"""Names of collections and subjects."""

from __future__ import annotations

import unicodedata

from mien.errors import BadInputError

LONGEST_NAME = 200
"""Most characters in a name."""


def proper_name(name: str, of: str) -> str:
    """A name in Unicode's composed form (NFC), so that it is the same however it was typed.

    Args:
        name: 1 to 200 characters, none of them a control character or half of a surrogate pair.
        of: what is named, for the message: `collection` or `subject`.

    Raises:
        BadInputError: `name_empty`, `name_too_long` or `name_invalid`.

    Example:
        >>> proper_name("Ame\\u0301lie", "subject")
        'Amélie'
    """
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise BadInputError(f"the name of the {of} is empty: give it at least one character", code="name_empty")
    if len(name) > LONGEST_NAME:
        raise BadInputError(
            f"the name of the {of} has {len(name)} characters; at most {LONGEST_NAME} are possible",
            code="name_too_long",
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise BadInputError(
            f"the name of the {of}, {name!a}, has control characters or bytes that are not text: rename it",
            code="name_invalid",
        )
    return name
