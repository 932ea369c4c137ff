"""The operations of the tag pages: home, documentation and legal pages, and their files."""

from pathlib import Path
from urllib.parse import urlsplit

from flask import Response, render_template
from starlette.requests import Request
from starlette.responses import Response as LoopResponse
from swagger_ui_bundle import swagger_ui_path

from todo.contract import API, SITE
from todo.domain.users import Owner
from todo.http.asgi_scope import PATH_VALUES
from todo.http.problems import PROBLEMS
from todo.service import current
from todo.web import assets, browser, words
from todo.web.assets import Asset

# Swagger UI has icons in data URLs; scripts come from this service alone.
CONTENT_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; manifest-src 'self'"  # noqa: E501

OF_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


DOCS_FILES = {name: Asset.of_file(Path(swagger_ui_path) / name, max_age=86400) for name in SITE.enum("DocsFile")}


def get_home(user: Owner | None) -> Response:
    settings = current.get().settings
    address = urlsplit(settings.public_url)
    return browser.page(
        "home.html",
        username=user.username if user else None,
        public_url=settings.public_url,
        legal_url=settings.legal_url,
        scopes=" ".join(API.scopes),
        secure=address.scheme == "https",
        public=address.hostname not in OF_THIS_MACHINE,
        oauth=settings.plugin_auth == "oauth",
    )


def get_docs() -> Response:
    return _page("docs.html")


async def get_docs_file(request: Request) -> LoopResponse:
    return DOCS_FILES[request.scope[PATH_VALUES]["file"]].response(request)


async def get_static_file(request: Request) -> LoopResponse:
    values = request.scope[PATH_VALUES]
    return assets.of_version(values["version"], values["file"], request)


def get_legal() -> Response:
    settings = current.get().settings
    return _page(
        "legal.html",
        storage_kind=current.get().engine.name,
        public_url=settings.public_url,
        contact_email=settings.contact_email,
        trash_days=API.limit("trash_days"),
        request_id_hours=API.limit("request_id_hours"),
        attempts_minutes=SITE.limit("attempts_minutes"),
    )


def get_errors() -> Response:
    return _page("errors.html", problems=PROBLEMS.values())


def get_robots() -> Response:
    return Response(
        "User-agent: ChatGPT-User\nAllow: /\n\nUser-agent: *\nDisallow: /todos/\nDisallow: /profiles/\n",
        mimetype="text/plain",
    )


def _page(template: str, **values: object) -> Response:
    return Response(
        render_template(template, words=words, **values),
        mimetype="text/html",
        headers={"Content-Security-Policy": CONTENT_POLICY},
    )
