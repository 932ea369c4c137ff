"""The URL at which a SQLite database was last served, stored in a file beside it.

A command in another terminal does not know the PORT that the service was started with.
"""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from todo.config import ConfigError, Settings, read_public_url


def note(settings: Settings) -> None:
    """Stores PUBLIC_URL beside the database, if it is a file. Raises nothing: the service runs without."""
    file = _file(settings)
    if file:
        with suppress(OSError):
            file.write_text(f"{settings.public_url}\n", encoding="utf-8")


def with_noted(settings: Settings) -> Settings:
    """Returns the settings with the PUBLIC_URL that was last stored, or unchanged if there is none."""
    file = _file(settings)
    try:
        url = read_public_url(file.read_text(encoding="utf-8").strip()) if file else settings.public_url
    except (OSError, UnicodeDecodeError, ConfigError):
        return settings
    return replace(settings, public_url=url)


def _file(settings: Settings) -> Path | None:
    kind, _, path = settings.database_url.partition(":///")
    return Path(path).with_suffix(".url") if kind == "sqlite" else None
