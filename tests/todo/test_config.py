"""Every setting: its default, what it may be, and the sentence for what it may not."""

import os
from pathlib import Path

import pytest

from todo.config import ConfigError, Settings, load_environ
from todo.storage.postgresql import STATEMENT_TIMEOUT

KEY = "k" * 32


def settings(**environ: str) -> Settings:
    return Settings.from_env({"SERVICE_AUTH_KEY": KEY, **environ})


def test_defaults() -> None:
    found = settings()
    assert found == Settings(service_auth_key=(KEY,))
    assert found.cors_origins == ("https://chat.openai.com", "https://chatgpt.com")
    assert (found.host, found.port, found.web_concurrency) == ("127.0.0.1", 8000, 1)


def test_an_empty_variable_counts_as_unset() -> None:
    assert settings(PORT="", DATABASE_URL=" ", CORS_ORIGINS="") == settings()


def test_a_platform_that_hands_out_a_port_reaches_the_service() -> None:
    found = settings(PORT="5000")
    assert (found.host, found.port, found.public_url) == ("0.0.0.0", 5000, "http://localhost:5000")
    assert settings(PORT="5000", HOST="127.0.0.1").host == "127.0.0.1"


def test_two_keys_while_rotating() -> None:
    assert settings(SERVICE_AUTH_KEY=f"{KEY}, {'n' * 40}").service_auth_key == (KEY, "n" * 40)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@host:5432/db?sslmode=require", "postgresql://u:p@host:5432/db?sslmode=require"),
        ("postgresql://u:p@host/db", "postgresql://u:p@host/db"),
        ("sqlite:////srv/todo.db", "sqlite:////srv/todo.db"),
    ],
)
def test_database_addresses(given: str, used: str) -> None:
    assert settings(DATABASE_URL=given).database_url == used


def test_a_replica() -> None:
    assert settings().database_read_url is None
    found = settings(DATABASE_URL="postgres://u:p@primary/d", DATABASE_READ_URL="postgres://u:p@replica/d")
    assert found.database_read_url == "postgresql://u:p@replica/d"


def test_how_long_a_statement_may_take() -> None:
    assert settings().database_statement_timeout == STATEMENT_TIMEOUT
    assert settings(DATABASE_STATEMENT_TIMEOUT="300").database_statement_timeout == 300


@pytest.mark.parametrize("url", ["smtp://user:p%40ss@mail.example.com:587", "smtps://mail.example.com"])
def test_a_mail_server(url: str) -> None:
    assert settings().smtp_url is None
    assert settings(SMTP_URL=url).smtp_url == url


def test_what_follows_from_the_public_address() -> None:
    found = settings(PUBLIC_URL="https://todo.example.com/")
    assert found.public_url == "https://todo.example.com"
    assert found.legal_url == "https://todo.example.com/legal"
    assert found.contact_email == "operator@todo.example.com"
    assert settings(LEGAL_URL="https://example.com/privacy").legal_url == "https://example.com/privacy"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SERVICE_AUTH_KEY": ""}, "SERVICE_AUTH_KEY is missing"),
        ({"SERVICE_AUTH_KEY": "short"}, "SERVICE_AUTH_KEY needs at least 32"),
        ({"SERVICE_AUTH_KEY": f"{KEY},short"}, "SERVICE_AUTH_KEY needs at least 32"),
        ({"SERVICE_AUTH_KEY": "k" * 31 + "ü"}, "SERVICE_AUTH_KEY needs"),
        ({"SERVICE_AUTH_KEY": "k k" * 20}, "SERVICE_AUTH_KEY needs"),
        ({"SERVICE_AUTH_KEY": f"{KEY},{KEY},{KEY}"}, "SERVICE_AUTH_KEY holds more than two"),
        ({"PORT": "http"}, "PORT must be"),
        ({"SMTP_URL": "mail.example.com"}, "SMTP_URL must be"),
        ({"SMTP_URL": "http://mail.example.com"}, "SMTP_URL must be"),
        ({"SMTP_URL": "smtp://"}, "SMTP_URL must be"),
        ({"SMTP_URL": "smtp://mail.example.com:mail"}, "SMTP_URL must be"),
        ({"SMTP_URL": "smtp://mail.example.com/inbox"}, "SMTP_URL must be"),
        ({"PORT": "65536"}, "PORT must be"),
        ({"PORT": "-1"}, "PORT must be"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be"),
        ({"WEB_CONCURRENCY": "many"}, "WEB_CONCURRENCY must be"),
        ({"DATABASE_URL": "mysql://host/db"}, "DATABASE_URL must start"),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL must start"),
        ({"DATABASE_URL": "sqlite:///"}, "DATABASE_URL must start"),
        ({"DATABASE_READ_URL": "sqlite:///todo.db"}, "DATABASE_READ_URL must start"),
        ({"DATABASE_READ_URL": "replica.example.com"}, "DATABASE_READ_URL must start"),
        ({"DATABASE_READ_URL": "postgresql://u:p@h/d"}, "DATABASE_READ_URL is for a replica of PostgreSQL"),
        ({"DATABASE_STATEMENT_TIMEOUT": "0"}, "DATABASE_STATEMENT_TIMEOUT must be a whole number from 1 to 300"),
        ({"DATABASE_STATEMENT_TIMEOUT": "301"}, "DATABASE_STATEMENT_TIMEOUT must be"),
        ({"DATABASE_STATEMENT_TIMEOUT": "8s"}, "DATABASE_STATEMENT_TIMEOUT must be"),
        ({"PUBLIC_URL": "todo.example.com"}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "ftp://todo.example.com"}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "https://todo.example.com/path"}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "https://user@todo.example.com"}, "PUBLIC_URL must be"),
        ({"PUBLIC_URL": "https://[oops"}, "PUBLIC_URL must be"),
        ({"PLUGIN_AUTH": "none"}, "PLUGIN_AUTH must be"),
        ({"PROXIES": "-1"}, "PROXIES must be"),
        ({"PROXIES": "10"}, "PROXIES must be"),
        ({"LOCAL_CLIENT_DOCUMENTS": "yes"}, "LOCAL_CLIENT_DOCUMENTS must be"),
        (
            {"LOCAL_CLIENT_DOCUMENTS": "1", "PUBLIC_URL": "https://todo.example.com"},
            "LOCAL_CLIENT_DOCUMENTS is for a PUBLIC_URL on this machine",
        ),
        ({"CORS_ORIGINS": "chatgpt.com"}, "CORS_ORIGINS must be"),
        ({"CORS_ORIGINS": "https://chatgpt.com/"}, "CORS_ORIGINS must be"),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS must be"),
        ({"DYNO": "web.1"}, "heroku addons:create heroku-postgresql"),
        ({"DYNO": "web.1", "DATABASE_URL": "postgres://u:p@h/d"}, "PUBLIC_URL is missing"),
    ],
)
def test_an_impossible_setting_is_named_in_one_sentence(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named) as error:
        settings(**environ)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)
    assert "kkk" not in str(error.value)
    assert "u:p" not in str(error.value)


def test_heroku_with_a_database_and_an_address_is_fine() -> None:
    url = "https://todo.herokuapp.com"
    assert settings(DYNO="web.1", DATABASE_URL="postgres://u:p@h/d", PUBLIC_URL=url, PORT="1").public_url == url


def test_how_many_proxies_stand_in_front() -> None:
    heroku = {"DYNO": "web.1", "DATABASE_URL": "postgres://u:p@h/d", "PUBLIC_URL": "https://todo.herokuapp.com"}
    assert (settings().proxies, settings(PROXIES="2").proxies, settings(**heroku).proxies) == (0, 2, 1)


def test_each_kind_of_plugin_auth() -> None:
    assert [settings(PLUGIN_AUTH=kind).plugin_auth for kind in ("service_http", "oauth")] == ["service_http", "oauth"]


def test_documents_on_this_machine_are_for_this_machine() -> None:
    assert settings().local_client_documents is False
    assert settings(LOCAL_CLIENT_DOCUMENTS="1").local_client_documents is True


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=1\nHOST=127.0.0.1\n", encoding="utf-8")
    monkeypatch.setenv("PORT", "2")
    monkeypatch.delenv("HOST", raising=False)
    found = load_environ(file)
    assert (found["PORT"], found["HOST"]) == ("2", "127.0.0.1")
    assert load_environ(tmp_path / "missing") == dict(os.environ)
