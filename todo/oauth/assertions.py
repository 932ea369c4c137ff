"""Assertions: what a client signs to prove who it is, in place of a secret (RFC 7523 section 3)."""

import time
from datetime import timedelta
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwk, jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwt import JWTClaimsRegistry

from todo.accounts import attempts, tokens
from todo.contract import SITE
from todo.domain.users import utc_now
from todo.errors import ClientRefused
from todo.oauth import clients, documents, keys
from todo.oauth.clients import Client
from todo.oauth.metadata import SIGNING_ALGORITHMS, token_endpoint
from todo.storage.engine import Engine
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_SECONDS = SITE.limit("assertion_seconds")
LEEWAY = SITE.limit("assertion_leeway_seconds")
MAX_KEPT = SITE.limit("assertions")
KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
PUBLIC = ("kty", "use", "alg", "kid", "n", "e", "crv", "x", "y")
MAX_TRIED = 10  # of the keys that an assertion without the id of one may be signed with
RSA_CHARACTERS = range(342, 1367)  # 2048 bits (RFC 7518 section 3.3) to 8192


class Algorithms(jws.JWSRegistry):
    """Asymmetric ones alone: what is published for all to read can sign nothing. Headers may hold a certificate."""

    max_header_length = 4096

    def get_alg(self, name: str) -> Any:
        if name not in SIGNING_ALGORITHMS:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


ALGORITHMS = Algorithms(strict_check_header=False)


def verify(engine: Engine, issuer: str, parameters: JSON, address: str, *, local: bool) -> str | None:
    """Returns the id of the client that a request proves by an assertion, and None where it brings none.

    All of it is done before the request's own transaction, as keys may have to be fetched. Raises InvalidClientError,
    TooManyAttempts and AssistantsBusy.
    """
    kind, assertion = parameters.get("client_assertion_type"), parameters.get("client_assertion")
    if not kind and not assertion:
        return None
    if kind != ASSERTION_TYPE or not assertion:
        raise InvalidClientError(f"client_assertion_type must be {ASSERTION_TYPE}, with a client_assertion.")
    token, claims = _read(assertion)
    _check_claims(claims, parameters.get("client_id") or claims.get("sub"), issuer)
    client = _client(engine, claims["sub"], address, local=local)
    _check_signature(token, _keys(engine, client, token, address, local=local))
    wait, is_new = engine.submit_write(_use, client.id, claims).result()
    attempts.raise_if_limited(wait)
    if not is_new:
        raise InvalidClientError("The assertion has been used: each needs a jti of its own.")
    return client.id


def _read(assertion: str) -> tuple[jws.CompactSignature, JSON]:
    """Returns an assertion and its claims, of which nothing is verified yet."""
    try:
        token = jws.extract_compact(assertion.encode(), registry=ALGORITHMS)
        ALGORITHMS.check_header(token.headers())
        ALGORITHMS.get_alg(token.headers()["alg"])
        claims = orjson.loads(token.payload or b"")
    except UnsupportedAlgorithmError:
        raise InvalidClientError(f"The assertion must be signed with one of {', '.join(SIGNING_ALGORITHMS)}.") from None
    except (JoseError, ValueError, TypeError, AttributeError):
        claims = None
    if not isinstance(claims, dict):
        raise InvalidClientError("The assertion is no signed JWT.")
    return token, claims


def _check_claims(claims: JSON, client_id: Any, issuer: str) -> None:
    """Raises InvalidClientError unless they are what section 3 wants, for us, of now, and not good for long."""
    audiences = [issuer, f"{issuer}/", token_endpoint(issuer)]
    wanted = JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": client_id},
        sub={"essential": True, "value": client_id},
        aud={"essential": True, "values": audiences},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        wanted.validate(claims)
    except JoseError as error:
        raise InvalidClientError(f"The assertion is refused for its claim {getattr(error, 'claim', '')}.") from None
    if claims["exp"] > time.time() + MAX_SECONDS + LEEWAY:
        raise InvalidClientError(f"The assertion is good for too long: exp may be {MAX_SECONDS} seconds ahead.")


def _client(engine: Engine, client_id: str, address: str, *, local: bool) -> Client:
    """Returns the client, as its document says now. Raises InvalidClientError for one that is not to sign."""
    client = engine.submit_read(clients.find, client_id).result()
    if client and client.is_document:
        try:
            documents.remember(engine, client_id, address, local=local)
        except ClientRefused:
            raise InvalidClientError("The document of the client could not be fetched.") from None
        client = engine.submit_read(clients.find, client_id).result()
    if client is None or "private_key_jwt" not in client.auth_methods:
        raise InvalidClientError("There is no client with this id that proves itself by an assertion.")
    return client


def _keys(engine: Engine, client: Client, token: jws.CompactSignature, address: str, *, local: bool) -> list[JSON]:
    """Returns those of its keys that may have signed: of this id where one is named, and of the kind."""
    kid = token.headers().get("kid")
    try:
        known = keys.of(engine, client, kid, address, local=local)
    except documents.DocumentRefused:
        raise InvalidClientError("The keys of the client could not be fetched.") from None
    kind = KEY_TYPES[token.headers()["alg"][:2]]
    fitting = [key for key in known if key.get("kty") == kind and (kid is None or key.get("kid") == kid)]
    return [key for key in fitting if kind != "RSA" or len(key.get("n", "")) in RSA_CHARACTERS][:MAX_TRIED]


def _check_signature(token: jws.CompactSignature, candidates: list[JSON]) -> None:
    if not any(_is_signed_by(token, key) for key in candidates):
        raise InvalidClientError("No key of the client has signed the assertion.")


def _is_signed_by(token: jws.CompactSignature, key: JSON) -> bool:
    try:
        public = jwk.import_key({name: key[name] for name in PUBLIC if name in key})
        return jws.validate_compact(token, public, registry=ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError, UnsupportedAlgorithm):
        return False


def _use(connection: Connection, client_id: str, claims: JSON) -> tuple[int, bool]:
    """Returns how many seconds the client has to wait, or 0, and whether nobody has used this assertion before.

    Each is known until it has expired. So many are kept at most; those that expire first go first.
    """
    wait = attempts.count(connection, attempts.assertions(client_id))
    if wait:
        return wait, False
    connection.delete_old_assertions(now=utc_now())
    if connection.count_assertions()["total"] >= MAX_KEPT:
        connection.delete_soonest_assertions(limit=MAX_KEPT // 10)
    left = timedelta(seconds=claims["exp"] + LEEWAY + 1 - time.time())
    row = connection.use_assertion(hash=tokens.digest(f"{client_id} {claims['jti']}"), expires_at=utc_now(left))
    return 0, row is not None
