import logging
import multiprocessing
import os
import stat

import pytest

from mien.errors import BadInputError
from mien.identity.vault import Vault, blind_source, make_master_key, read_master_key, seal, unseal

KEY = bytes(range(32))


def test_sealed_bytes_open_only_with_their_key_and_context():
    sealed = seal(KEY, b"Ada", b"name of 7")
    assert b"Ada" not in sealed
    assert unseal(KEY, sealed, b"name of 7") == b"Ada"
    assert seal(KEY, b"Ada", b"name of 7") != sealed
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, data, context in [
        (bytes(32), sealed, b"name of 7"),
        (KEY, sealed, b"name of 8"),
        (KEY, changed, b"name of 7"),
        (KEY, sealed[:20], b"name of 7"),
        (KEY, b"", b"name of 7"),
    ]:
        with pytest.raises(BadInputError) as caught:
            unseal(key, data, context)
        assert caught.value.code == "database_damaged"


def test_subject_keys_are_wrapped_and_bound_to_their_row():
    vault = Vault(KEY, b"a" * 16)
    key, wrapped = vault.new_subject_key(b"row")
    assert key not in wrapped
    assert vault.subject_key(wrapped, b"row") == key
    assert vault.new_subject_key(b"row")[0] != key
    with pytest.raises(BadInputError):
        vault.subject_key(wrapped, b"other row")
    with pytest.raises(BadInputError):
        Vault(KEY, b"b" * 16).subject_key(wrapped, b"row")


def test_blind_names_differ_by_name_collection_database_and_key():
    vault = Vault(KEY, b"a" * 16)
    assert vault.blind(1, "ada") == Vault(KEY, b"a" * 16).blind(1, "ada")
    others = [
        vault.blind(1, "bob"),
        vault.blind(2, "ada"),
        Vault(KEY, b"b" * 16).blind(1, "ada"),
        Vault(bytes(32), b"a" * 16).blind(1, "ada"),
    ]
    assert len({vault.blind(1, "ada"), *others}) == 5
    assert blind_source(KEY, b"digest") != blind_source(bytes(32), b"digest")


def test_the_proof_and_the_text_of_a_vault_give_no_key_away():
    vault = Vault(KEY, b"a" * 16)
    assert vault.proof == Vault(KEY, b"a" * 16).proof != Vault(bytes(32), b"a" * 16).proof
    assert KEY.hex() not in repr(vault)
    assert vault.proof not in (vault._wrapping, vault._blinding)


def test_the_master_key_is_made_once_and_private(tmp_path):
    path = tmp_path / "new" / "master.key"
    old = os.umask(0)
    try:
        key = make_master_key(path)
    finally:
        os.umask(old)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert make_master_key(path) == read_master_key(path) == key
    assert os.listdir(path.parent) == ["master.key"]


def test_processes_that_come_together_get_one_key(tmp_path):
    with multiprocessing.get_context("fork").Pool(8) as pool:
        keys = pool.map(make_master_key, [tmp_path / "master.key"] * 32, chunksize=1)
    assert len(set(keys)) == 1


def test_a_key_that_is_not_there_or_not_whole_is_named(tmp_path):
    path = tmp_path / "master.key"
    with pytest.raises(BadInputError, match="MIEN_KEY_FILE") as missing:
        read_master_key(path)
    assert missing.value.code == "master_key_missing"
    assert str(path) in str(missing.value)
    for content in (b"", KEY[:-1], KEY + b"\n"):
        path.write_bytes(content)
        with pytest.raises(BadInputError) as invalid:
            make_master_key(path)
        assert invalid.value.code == "master_key_invalid"
        assert path.read_bytes() == content
    with pytest.raises(BadInputError) as unreadable:
        read_master_key(tmp_path)
    assert unreadable.value.code == "master_key_unreadable"
    with pytest.raises(BadInputError) as unwritable:
        make_master_key(path / "below a file" / "master.key")
    assert unwritable.value.code == "master_key_unreadable"


def test_a_key_that_others_can_read_is_warned_of(tmp_path, caplog):
    path = tmp_path / "master.key"
    make_master_key(path)
    with caplog.at_level(logging.WARNING, "mien.identity"):
        read_master_key(path)
        assert not caplog.records
        path.chmod(0o644)
        key = read_master_key(path)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(path) in caplog.text
    assert key.hex() not in caplog.text
