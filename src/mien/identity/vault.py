"""Keys and encryption of a gallery.

One master key (32 random bytes in a file of its own, outside the database) and a random id per database give, by
HKDF-SHA256, the keys of that database: one that wraps subject keys and one that blinds names. Each subject has a
random key of its own, stored only wrapped; the subject's name and templates are sealed with it, so that whoever
destroys the wrapped key has destroyed them too. Sealing is AES-256-GCM with a random 96-bit nonce in front; the
`context` is authenticated with it, so that a ciphertext moved to another row or purpose does not open.

Sources: NIST SP 800-38D (GCM), RFC 5869 (HKDF), RFC 2104 (HMAC).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mien.errors import BadInputError

KEY_BYTES = 32

_NONCE_BYTES = 12
_log = logging.getLogger("mien.identity")


class Vault:
    """The keys of one database; nothing in its `repr` or its errors tells one of them.

    Args:
        master: the master key, 32 bytes.
        database: the random id of the database, which makes its keys differ from those of any other.
    """

    def __init__(self, master: bytes, database: bytes) -> None:
        self._wrapping = _derive(master, database, b"mien wrap subject keys")
        self._blinding = _derive(master, database, b"mien blind names")
        self.proof = _derive(master, database, b"mien prove the master key")
        """32 bytes that only this master key gives for this database, and that give nothing away about it."""

    def new_subject_key(self, context: bytes) -> tuple[bytes, bytes]:
        """A fresh key for one subject: `(key, wrapped)`; only the second may be stored."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, seal(self._wrapping, key, b"key\0" + context)

    def subject_key(self, wrapped: bytes, context: bytes) -> bytes:
        """The subject key in `wrapped`.

        Raises:
            BadInputError: `database_damaged`.
        """
        return unseal(self._wrapping, wrapped, b"key\0" + context)

    def blind(self, collection: int, name: str) -> bytes:
        """32 bytes that find a subject of a collection by name without telling the name (HMAC-SHA256)."""
        return hmac.digest(self._blinding, f"{collection}\0{name}".encode(), hashlib.sha256)


def blind_source(subject_key: bytes, digest: bytes) -> bytes:
    """A picture's digest, blinded so that it can be compared within one subject only and dies with its key."""
    return hmac.digest(subject_key, b"source\0" + digest, hashlib.sha256)


def seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    """`plain` encrypted and bound to `context`: nonce (12 bytes), ciphertext, tag (16 bytes)."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """What `seal` sealed with the same key and context.

    Raises:
        BadInputError: `database_damaged`: the bytes were changed, cut, or belong elsewhere.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise BadInputError(
            "the database holds an encrypted value that does not open with its key: the database was damaged or "
            "changed; restore it from a backup",
            code="database_damaged",
        ) from error


def make_master_key(path: Path) -> bytes:
    """The master key at `path`, made there (0600, its folder 0700, on disk before this returns) where none is yet.

    Two processes that come at the same time get the same key: it is written aside and linked into place whole.

    Raises:
        BadInputError: `master_key_invalid` or `master_key_unreadable`.
    """
    if not path.exists():
        try:
            _write_new_key(path)
        except FileExistsError:
            pass  # another process was first; its key is read below
        except OSError as error:
            raise BadInputError(
                f"the master key cannot be made at {path}: {error.strerror}; point MIEN_KEY_FILE at a place that "
                "can be written",
                code="master_key_unreadable",
            ) from error
    return read_master_key(path)


def read_master_key(path: Path) -> bytes:
    """The 32 bytes of the master key at `path`; a file that others can read is warned of.

    Raises:
        BadInputError: `master_key_missing`, `master_key_invalid` or `master_key_unreadable`.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(KEY_BYTES + 1)
    except FileNotFoundError as error:
        raise BadInputError(
            f"the master key {path} is missing, and without it the database cannot be read: put the key file back "
            "from its backup, or point MIEN_KEY_FILE at it",
            code="master_key_missing",
        ) from error
    except OSError as error:
        raise BadInputError(
            f"the master key {path} cannot be read: {error.strerror}; make it readable for this user, or point "
            "MIEN_KEY_FILE at another",
            code="master_key_unreadable",
        ) from error
    if len(key) != KEY_BYTES:
        raise BadInputError(
            f"the master key {path} does not have exactly {KEY_BYTES} bytes: put the key file back from its backup, "
            "or point MIEN_KEY_FILE at it",
            code="master_key_invalid",
        )
    if os.name == "posix" and mode & 0o077:
        _log.warning("the master key %s can be read by other users of this machine: run chmod 600 on it", path)
    return key


def sync_folder(folder: Path) -> None:
    """Wait until a file that was just made in `folder` would still be there after a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)  # 0600 by its contract
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)  # unlike a rename, refuses to replace a key that is there
    finally:
        os.unlink(aside)
    sync_folder(path.parent)


def _derive(master: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, purpose).derive(master)
