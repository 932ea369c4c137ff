"""Handlers of the tag pages: home, documentation and legal pages, and their files."""

from functools import lru_cache

from flask import Response, render_template
from starlette.requests import Request
from starlette.responses import Response as LoopResponse

from todo.contract import API, SITE
from todo.contract.schemas import compile_schema
from todo.domain.users import Owner
from todo.errors import NotFound
from todo.http.asgi_scope import PATH_VALUES
from todo.http.problems import PROBLEMS
from todo.http.refusals import CONTENT_POLICY
from todo.service import current
from todo.web import assets, browser, reference, words

IS_VERSION = compile_schema(SITE.schema("StaticVersion"))


def get_home(user: Owner | None) -> Response:
    settings = current.get().settings
    return browser.page(
        "home.html",
        username=user.username if user else None,
        public_url=settings.public_url,
        mcp=f"{settings.public_url}/mcp",
        legal_url=settings.legal_url,
        scopes=" ".join(API.scopes),
        online=settings.public_url.startswith("https:") and not settings.is_local,
        local=settings.is_local,
        oauth=settings.plugin_auth == "oauth",
    )


def get_docs() -> Response:
    return _respond(_reference(current.get().settings.public_url))


async def get_static_file(request: Request) -> LoopResponse:
    values = request.scope[PATH_VALUES]
    if not IS_VERSION(values["version"]):
        raise NotFound
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
    return _page("errors.html", problems=sorted(PROBLEMS.values(), key=lambda problem: problem.status))


def get_robots() -> Response:
    return Response(
        "User-agent: ChatGPT-User\nAllow: /\n\nUser-agent: *\nDisallow: /todos/\nDisallow: /profiles/\n",
        mimetype="text/plain",
    )


@lru_cache(maxsize=4)
def _reference(public_url: str) -> bytes:
    """Returns the reference, rendered once: it takes 20 ms, and slow readers share one copy in memory."""
    page = render_template(
        "docs.html",
        words=words,
        info=API.document["info"],
        groups=reference.groups(public_url),
        objects=reference.objects(),
        public_url=public_url,
    )
    return page.encode()


def _page(template: str, **values: object) -> Response:
    return _respond(render_template(template, words=words, **values))


def _respond(text: str | bytes) -> Response:
    policy = f"{CONTENT_POLICY}; script-src 'self'; form-action 'none'"
    return Response(text, mimetype="text/html", headers={"Content-Security-Policy": policy})
