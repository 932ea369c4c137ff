"""The settings: the only reader of the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from todo.startup import CannotStart

DOTENV = Path(".env")
KEY_LENGTH = 32
MAX_PER_MINUTE = 99_999_999
MAX_STATEMENT_TIMEOUT = 300  # seconds
OF_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class ConfigError(CannotStart):
    """A setting is missing or invalid; the message is one sentence that names it."""


@dataclass(frozen=True)
class Settings:
    """The operator's settings. Each field is the environment variable of the same name in upper case."""

    service_auth_key: tuple[str, ...]
    database_url: str = "sqlite:///data/todo.db"
    database_read_url: str | None = None
    database_statement_timeout: int = 8
    public_url: str = "http://localhost:8000"
    plugin_auth: str = "service_http"
    openai_verification_token: str = ""
    contact_email: str = "operator@localhost"
    legal_url: str = "http://localhost:8000/legal"
    cors_origins: tuple[str, ...] = ("https://chat.openai.com", "https://chatgpt.com")
    host: str = "127.0.0.1"
    port: int = 8000
    web_concurrency: int = 1
    proxies: int = 0
    local_client_documents: bool = False
    reads_per_minute: int = 600
    writes_per_minute: int = 120
    redis_url: str | None = None
    smtp_url: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Returns the settings from `environ`; an empty variable counts as unset. Raises ConfigError."""
        get = {name: value.strip() for name, value in environ.items() if value.strip()}.get

        def number(name: str, default: int, least: int, most: int) -> int:
            return _number(name, get(name), default, least, most)

        port = number("PORT", cls.port, 0, 65535)
        public_url = read_public_url(get("PUBLIC_URL", f"http://localhost:{port}"))
        return (
            cls(
                service_auth_key=_service_keys(get("SERVICE_AUTH_KEY")),
                database_url=_database_url(get("DATABASE_URL", cls.database_url)),
                database_read_url=_database_read_url(get("DATABASE_READ_URL")),
                database_statement_timeout=number(
                    "DATABASE_STATEMENT_TIMEOUT", cls.database_statement_timeout, 1, MAX_STATEMENT_TIMEOUT
                ),
                public_url=public_url,
                plugin_auth=_plugin_auth(get("PLUGIN_AUTH", cls.plugin_auth)),
                openai_verification_token=get("OPENAI_VERIFICATION_TOKEN", ""),
                contact_email=get("CONTACT_EMAIL", f"operator@{urlsplit(public_url).hostname}"),
                legal_url=get("LEGAL_URL", f"{public_url}/legal"),
                cors_origins=_origins(get("CORS_ORIGINS"), cls.cors_origins),
                # A platform that sets PORT routes to any address; on one's own machine, nothing should be exposed.
                host=get("HOST", "0.0.0.0" if get("PORT") else cls.host),  # noqa: S104
                port=port,
                web_concurrency=number("WEB_CONCURRENCY", cls.web_concurrency, 1, 64),
                # On Heroku, all requests come through its router, which is one proxy.
                proxies=number("PROXIES", 1 if "DYNO" in environ else cls.proxies, 0, 9),
                local_client_documents=bool(number("LOCAL_CLIENT_DOCUMENTS", 0, 0, 1)),
                reads_per_minute=number("READS_PER_MINUTE", cls.reads_per_minute, 0, MAX_PER_MINUTE),
                writes_per_minute=number("WRITES_PER_MINUTE", cls.writes_per_minute, 0, MAX_PER_MINUTE),
                redis_url=_redis_url(get("REDIS_URL")),
                smtp_url=_smtp_url(get("SMTP_URL")),
            )
            .fit_for_platform(environ)
            .fit_for_others()
            .fit_for_replica()
        )

    @property
    def is_local(self) -> bool:
        """Whether PUBLIC_URL is on this machine, so that nobody else can call the service."""
        return urlsplit(self.public_url).hostname in OF_THIS_MACHINE

    def fit_for_platform(self, environ: Mapping[str, str]) -> "Settings":
        """Returns the settings. Raises ConfigError for SQLite on Heroku, whose disk is not persistent."""
        if "DYNO" in environ and self.database_url.startswith("sqlite:"):
            raise ConfigError(
                "DATABASE_URL must be PostgreSQL: this platform's disk does not last, so SQLite would lose to-dos; "
                "add it with `heroku addons:create heroku-postgresql:essential-0`."
            )
        if "DYNO" in environ and urlsplit(self.public_url).hostname == "localhost":
            raise ConfigError(
                "PUBLIC_URL is missing: set the address that assistants reach this app at, with "
                "`heroku config:set PUBLIC_URL=https://<your app's address>`."
            )
        return self

    def fit_for_others(self) -> "Settings":
        """Returns the settings. Raises ConfigError for a development setting on a public URL."""
        if self.local_client_documents and not self.is_local:
            raise ConfigError("LOCAL_CLIENT_DOCUMENTS is for a PUBLIC_URL on this machine: unset it.")
        return self

    def fit_for_replica(self) -> "Settings":
        """Returns the settings. Raises ConfigError for a replica with SQLite, which has none."""
        if self.database_read_url and self.database_url.startswith("sqlite:"):
            raise ConfigError("DATABASE_READ_URL is for a replica of PostgreSQL: set DATABASE_URL to PostgreSQL too.")
        return self


def load_environ(dotenv: Path = DOTENV) -> dict[str, str]:
    """Returns the variables of the `.env` file, if there is one, overridden by those of the environment."""
    return {**_written(dotenv), **os.environ}


def _written(dotenv: Path) -> dict[str, str]:
    """Returns the variables of the file, none if there is no file. Raises ConfigError, which quotes nothing from it."""
    place = dotenv.resolve()
    try:
        with dotenv.open(encoding="utf-8") as file:
            wrong = [binding.original.line for binding in parse_stream(file) if binding.error]
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise ConfigError(f"{place} is not UTF-8 text: save it as such.") from None
    except OSError as error:
        raise ConfigError(
            f"{place} cannot be read ({error.strerror}): make it a file that this user may read."
        ) from None
    if wrong:
        raise ConfigError(f"{place} has no setting in line {wrong[0]}: write NAME=value, or begin it with #.")
    return {name: value for name, value in dotenv_values(dotenv).items() if value is not None}


def _service_keys(value: str | None) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in (value or "").split(",") if key.strip())
    if not keys:
        raise ConfigError("SERVICE_AUTH_KEY is missing: run `make env` to write one into .env, or set it yourself.")
    if len(keys) > 2:
        raise ConfigError("SERVICE_AUTH_KEY holds more than two keys: one, or two with a comma while you rotate.")
    if any(len(key) < KEY_LENGTH or not key.isascii() or not key.isprintable() or " " in key for key in keys):
        raise ConfigError(f"SERVICE_AUTH_KEY needs at least {KEY_LENGTH} ASCII characters, none of them a space.")
    return keys


def _number(name: str, value: str | None, default: int, least: int, most: int) -> int:
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 9 and least <= int(value) <= most):
        raise ConfigError(f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def _is_origin(url: str) -> bool:
    """Whether `url` has only a scheme, a host and a port."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and url == f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        return False


def read_public_url(value: str) -> str:
    """Returns a PUBLIC_URL without a slash at its end. Raises ConfigError."""
    url = value.rstrip("/")
    if not _is_origin(url) or "@" in url:
        raise ConfigError("PUBLIC_URL must be http:// or https:// and a host, such as https://todo.example.com.")
    return url


def _current_scheme(url: str) -> str:
    # Heroku still uses the old name of the scheme.
    return url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url


def _require_address(name: str, url: str) -> None:
    """Raises ConfigError for a PostgreSQL URL that would be misread, with a part of the password as the host."""
    if re.search("%(?![0-9A-Fa-f]{2})", url):
        raise ConfigError(f"{name} has a % without two hexadecimal digits: write a % of the password as %25.")
    authority, path = re.split("[/?#]", url.partition("://")[2], maxsplit=1)[0], urlsplit(url).path
    user, _, hosts = authority.rpartition("@")
    if "@" in user + path or not re.fullmatch(r"((\[[^\]]*\]|[^:\[\],]*)(:[0-9]{1,5})?,?)*", hosts):
        raise ConfigError(
            f"{name} must be postgresql://user:password@host:5432/database: in the password, "
            "write @ as %40, : as %3A, / as %2F, ? as %3F and # as %23."
        )


def _database_read_url(value: str | None) -> str | None:
    url = _current_scheme(value) if value else None
    if url and not url.startswith("postgresql://"):
        raise ConfigError("DATABASE_READ_URL must start with postgresql://.")
    if url:
        _require_address("DATABASE_READ_URL", url)
    return url


def _database_url(value: str) -> str:
    url = _current_scheme(value)
    if not url.startswith(("sqlite:///", "postgresql://")) or url == "sqlite:///":
        raise ConfigError("DATABASE_URL must start with sqlite:/// (and a file) or postgresql://.")
    if url.startswith("postgresql://"):
        _require_address("DATABASE_URL", url)
    return url


def _redis_url(value: str | None) -> str | None:
    if value is not None and not (value.startswith(("redis://", "rediss://")) and urlsplit(value).hostname):
        raise ConfigError("REDIS_URL must be redis:// or rediss:// and a host, such as redis://localhost:6379.")
    return value


def _smtp_url(value: str | None) -> str | None:
    if value is not None and not _is_server(value, ("smtp", "smtps")):
        raise ConfigError(
            "SMTP_URL must be smtp:// or smtps:// and a host, such as smtp://user:password@mail.example.com:587."
        )
    return value


def _is_server(url: str, schemes: tuple[str, ...]) -> bool:
    """Whether `url` has one of these schemes, a host, perhaps a user, a password and a port, and nothing else."""
    try:
        parts = urlsplit(url)
        rest = parts.path.strip("/") or parts.query or parts.fragment
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and not rest
    except ValueError:
        return False


def _plugin_auth(value: str) -> str:
    if value not in ("service_http", "oauth"):
        raise ConfigError("PLUGIN_AUTH must be service_http or oauth.")
    return value


def _origins(value: str | None, default: tuple[str, ...]) -> tuple[str, ...]:
    if value is None:
        return default
    origins = tuple(origin.strip() for origin in value.split(",") if origin.strip())
    if not all(map(_is_origin, origins)):
        raise ConfigError("CORS_ORIGINS must be origins such as https://chatgpt.com, separated by commas.")
    return origins
