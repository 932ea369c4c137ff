"""Handlers of the tag oauth: the authorization server, for hosts and MCP clients."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from flask import Response, jsonify, request
from werkzeug import Response as WerkzeugResponse

from todo.accounts import attempts
from todo.domain.users import Owner
from todo.errors.access import SignedOut
from todo.oauth import assertions, authorize, client_documents, clients, metadata, register, revoke, token
from todo.oauth.server import OAuthResponse
from todo.service import current
from todo.web import browser

JSON = dict[str, Any]


def get_consent(
    user: Owner | None,
    response_type: str = "",
    client_id: str = "",
    redirect_uri: str = "",
    scope: str = "",
    state: str = "",
    code_challenge: str = "",
    code_challenge_method: str = "",
    resource: str = "",
    others: JSON | None = None,  # noqa: ARG001
) -> WerkzeugResponse:
    given = {
        "response_type": response_type,
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": code_challenge,
        "code_challenge_method": code_challenge_method,
        "resource": resource,
    }
    asked = {name: value for name, value in given.items() if value}
    if user is None and clients.is_document(client_id):
        raise SignedOut  # metadata documents are fetched only for people with an account
    _remember_client(asked)
    question = browser.read(authorize.prompt, _issuer(), asked)
    if not isinstance(question, authorize.ConsentPrompt):
        return _to_client(question)
    if user is None:
        raise SignedOut
    return browser.page(
        "consent.html",
        form_goes_to=question.origin,
        username=user.username,
        question=question,
        asked=asked,
        here=f"/oauth/authorize?{urlencode(asked)}",
    )


def decide_consent(user: Owner, body: JSON) -> WerkzeugResponse:
    asked = {name: value for name, value in body.items() if name not in ("decision", "next")}
    _remember_client(asked)
    return _to_client(browser.write(authorize.decide, _issuer(), asked, user, allow=body["decision"] == "allow"))


def issue_token(body: JSON) -> Response:
    return _answer_client(token.issue, body)


def revoke_token(body: JSON) -> Response:
    return _answer_client(revoke.revoke, body)


def register_client(body: JSON) -> Response:
    attempts.raise_if_limited(browser.write(attempts.count, attempts.registrations(browser.address())))
    try:
        return _sent(OAuthResponse(201, browser.write(register.register, body)))
    except OAuth2Error as error:
        return _refused(error)


def get_server_metadata() -> Response:
    return jsonify(metadata.server(_issuer()))


def get_resource_metadata() -> Response:
    return jsonify(metadata.resource(_issuer()))


def get_mcp_resource_metadata() -> Response:
    return jsonify(metadata.resource(_issuer(), "/mcp"))


def _to_client(answer: authorize.ErrorPage | OAuthResponse) -> WerkzeugResponse:
    """Returns the redirect to a client, or a page with a link to it."""
    if isinstance(answer, authorize.ErrorPage):
        return browser.public_page("oauth_error.html", 400, back=answer)
    return browser.go_to(str(answer.location))


def _remember_client(asked: JSON) -> None:
    """Fetches the document of a client whose id is a URL, unless it is cached."""
    client_id = asked.get("client_id", "")
    if clients.is_document(client_id):
        settings, engine = current.get().settings, current.get().engine
        allow_local = settings.local_client_documents
        client_documents.ensure_fresh(engine, client_id, browser.address(), allow_local=allow_local)


def _answer_client(rule: Callable[..., OAuthResponse], body: JSON) -> Response:
    """Returns what `rule` answers a client, after verifying its assertion if it sends one."""
    settings, engine = current.get().settings, current.get().engine
    allow_local = settings.local_client_documents
    try:
        client_id = assertions.verify(engine, _issuer(), body, browser.address(), allow_local=allow_local)
    except OAuth2Error as error:
        return _refused(error)
    return _sent(browser.write(rule, _issuer(), body, request.headers.get("Authorization"), client_id))


def _refused(error: OAuth2Error) -> Response:
    return _sent(OAuthResponse(error.status_code, dict(error.get_body())))


def _sent(answer: OAuthResponse) -> Response:
    response = jsonify(answer.body)
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _issuer() -> str:
    return current.get().settings.public_url
