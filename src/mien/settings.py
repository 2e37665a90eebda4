"""What a user can set for the whole program: environment variables `MIEN_*`, or a TOML file named by `MIEN_CONFIG`."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from mien.errors import UsageError


class Settings(BaseSettings):
    """Program-wide settings; an environment variable wins over the TOML file.

    Attributes:
        data: folder of the gallery (`MIEN_DATA`).
        key_file: file of the master key (`MIEN_KEY_FILE`); outside the data folder by default, so that a copy of
            the data alone opens nothing.
        model_cache: folder of downloaded models (`MIEN_MODEL_CACHE`).
        model_mirror: folder that is looked in before the publisher's address (`MIEN_MODEL_MIRROR`).
        models: folder of your own models, one sub-folder each as `mien export` makes them (`MIEN_MODELS`).
        offline: never ask a publisher's address for a model (`MIEN_OFFLINE`).
        pack: `standard`, or `starter` for the small networks that this project trained (`MIEN_PACK`).
        device: `cpu`, `gpu`, or `auto`: a GPU where ONNX Runtime has one, else the CPU (`MIEN_DEVICE`).
        allow_slower: with `device=gpu`, warn and go on on the CPU instead of failing (`MIEN_ALLOW_SLOWER`).
        threads: threads for one network; 0 takes all cores (`MIEN_THREADS`).
        picture_bytes: largest picture file in bytes (`MIEN_PICTURE_BYTES`).
        picture_pixels: most pixels in a picture (`MIEN_PICTURE_PIXELS`).
    """

    model_config = SettingsConfigDict(env_prefix="MIEN_", extra="forbid", frozen=True, env_ignore_empty=True)

    data: Path = Field(default_factory=lambda: platformdirs.user_data_path("mien", appauthor=False))
    key_file: Path = Field(
        default_factory=lambda: platformdirs.user_config_path("mien", appauthor=False) / "master.key"
    )
    model_cache: Path = Field(default_factory=lambda: platformdirs.user_cache_path("mien", appauthor=False) / "models")
    model_mirror: Path | None = None
    models: Path | None = None
    offline: bool = False
    pack: Literal["standard", "starter"] = "standard"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    allow_slower: bool = False
    threads: int = Field(default=0, ge=0)
    picture_bytes: int = Field(default=20_000_000, gt=0)
    picture_pixels: int = Field(default=64_000_000, gt=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the TOML file."""
        toml_file = os.environ.get("MIEN_CONFIG")
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file))


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        UsageError: a value or the TOML file is not valid; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "MIEN_" + "_".join(str(part) for part in first["loc"]).upper()
        raise UsageError(f"{name} = {first['input']!r}: {first['msg']}", code="setting_invalid") from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the settings file {os.environ.get('MIEN_CONFIG')!r} cannot be read: {error}",
            code="setting_invalid",
        ) from error
