from pathlib import Path

import pytest

from mien.errors import UsageError
from mien.settings import settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    for name in ("DATA", "KEY_FILE", "MODEL_MIRROR", "OFFLINE", "THREADS", "PACK", "CONFIG"):
        monkeypatch.delenv(f"MIEN_{name}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_the_key_lies_outside_the_data():
    chosen = settings()
    assert chosen.data not in chosen.key_file.parents
    assert (chosen.offline, chosen.pack, chosen.threads, chosen.model_mirror) == (False, "standard", 0, None)


def test_the_environment_wins_over_the_file(monkeypatch, tmp_path):
    (tmp_path / "mien.toml").write_text('threads = 3\npack = "starter"\n')
    monkeypatch.setenv("MIEN_CONFIG", str(tmp_path / "mien.toml"))
    monkeypatch.setenv("MIEN_THREADS", "5")
    monkeypatch.setenv("MIEN_DATA", str(tmp_path))
    assert (settings().threads, settings().pack, settings().data) == (5, "starter", Path(tmp_path))


def test_settings_are_read_once(monkeypatch):
    before = settings()
    monkeypatch.setenv("MIEN_THREADS", "5")
    assert settings() is before


@pytest.mark.parametrize(("name", "value"), [("THREADS", "-1"), ("PACK", "huge"), ("PICTURE_BYTES", "0")])
def test_a_wrong_value_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"MIEN_{name}", value)
    with pytest.raises(UsageError, match=f"MIEN_{name} = '{value}'") as caught:
        settings()
    assert (caught.value.code, caught.value.exit_code) == ("setting_invalid", 2)


def test_a_word_that_is_no_setting_is_refused(monkeypatch, tmp_path):
    (tmp_path / "mien.toml").write_text("thread = 3\n")
    monkeypatch.setenv("MIEN_CONFIG", str(tmp_path / "mien.toml"))
    with pytest.raises(UsageError, match="THREAD"):
        settings()


def test_a_file_that_is_no_toml_is_named(monkeypatch, tmp_path):
    (tmp_path / "mien.toml").write_text("threads = = 3\n")
    monkeypatch.setenv("MIEN_CONFIG", str(tmp_path / "mien.toml"))
    with pytest.raises(UsageError, match=r"mien\.toml"):
        settings()
