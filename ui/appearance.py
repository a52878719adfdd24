"""How Streamlit is set up: one theme and one upload limit, wherever the app is started from."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from streamlit import config

from qe_core.config import Settings, bundled_path

__all__ = ["apply_appearance"]


def apply_appearance(settings: Settings) -> None:
    """Set the options of ``.streamlit/config.toml`` and the upload limit of the settings.

    Streamlit itself finds that file only when it is started from a checkout; an installed wheel
    may be started from any folder.

    Args:
        settings: ``audio.max_upload_mb`` limits what the browser may send
    """
    with bundled_path(".streamlit", "config.toml").open("rb") as file:
        options = tomllib.load(file)
    for key, value in _flat(options):
        if not config.is_manually_set(key):
            config.set_option(key, value)
    config.set_option("server.maxUploadSize", settings.audio.max_upload_mb)


def _flat(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{key}.")
        else:
            yield key, value
