"""Client authentication with a signed JWT, `private_key_jwt` (RFC 7523 section 3)."""

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
from todo.accounts.buckets import bucket_of, make_room, share_of
from todo.contract import SITE
from todo.domain.users import utc_now
from todo.errors.access import ClientRefused
from todo.oauth import client_documents, client_keys, clients
from todo.oauth.clients import Client
from todo.oauth.fetching import DocumentRefused
from todo.oauth.metadata import SIGNING_ALGORITHMS, token_endpoint
from todo.storage.engine import Engine
from todo.storage.statements import Connection

JSON = dict[str, Any]

MAX_SECONDS = SITE.limit("assertion_seconds")
LEEWAY = SITE.limit("assertion_leeway_seconds")
MAX_STORED = share_of(SITE.limit("assertions"))  # in a bucket
KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
PUBLIC_MEMBERS = ("kty", "use", "alg", "kid", "n", "e", "crv", "x", "y")
MAX_CANDIDATES = 10  # keys to try for an assertion without a kid
RSA_MODULUS_LENGTHS = range(342, 1367)  # base64url characters of 2048 bits (RFC 7518 section 3.3) to 8192


class Algorithms(jws.JWSRegistry):
    """Asymmetric algorithms only: with HS256, a public key could serve as the secret. Headers may have a
    certificate."""

    max_header_length = 4096

    def get_alg(self, name: str) -> Any:
        if name not in SIGNING_ALGORITHMS:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


ALGORITHMS = Algorithms(strict_check_header=False)


def verify(engine: Engine, issuer: str, parameters: JSON, remote_addr: str, *, allow_local: bool) -> str | None:
    """Returns the id of the client that a request's assertion authenticates, or None if it carries no assertion.

    Call it before the request's own transaction: keys may have to be fetched. Raises InvalidClientError,
    TooManyAttempts and AssistantsBusy.
    """
    kind, assertion = parameters.get("client_assertion_type"), parameters.get("client_assertion")
    if not kind and not assertion:
        return None
    if kind != ASSERTION_TYPE or not assertion:
        raise InvalidClientError(f"client_assertion_type must be {ASSERTION_TYPE}, with a client_assertion.")
    token, claims = _parse(assertion)
    _check_claims(claims, parameters.get("client_id") or claims.get("sub"), issuer)
    client = _find_client(engine, claims["sub"], remote_addr, allow_local=allow_local)
    _check_signature(token, _candidate_keys(engine, client, token, remote_addr, allow_local=allow_local))
    wait, is_new = engine.submit_write(_mark_used, client.id, claims).result()
    attempts.raise_if_limited(wait)
    if not is_new:
        raise InvalidClientError("The assertion has been used: each needs a jti of its own.")
    return client.id


def _parse(assertion: str) -> tuple[jws.CompactSignature, JSON]:
    """Returns the signed token and its claims, both unverified. Raises InvalidClientError."""
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
        raise InvalidClientError("The assertion is not a signed JWT.")
    return token, claims


def _check_claims(claims: JSON, client_id: Any, issuer: str) -> None:
    """Raises InvalidClientError unless the claims are as RFC 7523 section 3 requires, and `exp` is near enough."""
    audiences = [issuer, f"{issuer}/", token_endpoint(issuer)]
    required = JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": client_id},
        sub={"essential": True, "value": client_id},
        aud={"essential": True, "values": audiences},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        required.validate(claims)
    except JoseError as error:
        raise InvalidClientError(f"The assertion has an invalid claim: {getattr(error, 'claim', '')}.") from None
    if claims["exp"] > time.time() + MAX_SECONDS + LEEWAY:
        raise InvalidClientError(f"The assertion expires too late: exp may be at most {MAX_SECONDS} seconds ahead.")


def _find_client(engine: Engine, client_id: str, remote_addr: str, *, allow_local: bool) -> Client:
    """Returns the client, with its document up to date. Raises InvalidClientError unless it may use assertions."""
    client = engine.submit_read(clients.find, client_id).result()
    if client and client.is_document:
        try:
            client_documents.ensure_fresh(engine, client_id, remote_addr, allow_local=allow_local)
        except ClientRefused:
            raise InvalidClientError("The client's metadata document could not be fetched.") from None
        client = engine.submit_read(clients.find, client_id).result()
    if client is None or "private_key_jwt" not in client.auth_methods:
        raise InvalidClientError("No client with this id authenticates with assertions.")
    return client


def _candidate_keys(
    engine: Engine, client: Client, token: jws.CompactSignature, remote_addr: str, *, allow_local: bool
) -> list[JSON]:
    """Returns the client's keys that could have signed this token: by `kid`, if it has one, and by key type."""
    kid = token.headers().get("kid")
    try:
        keys = client_keys.of(engine, client, kid, remote_addr, allow_local=allow_local)
    except DocumentRefused:
        raise InvalidClientError("The client's keys could not be fetched.") from None
    key_type = KEY_TYPES[token.headers()["alg"][:2]]
    matching = [key for key in keys if key.get("kty") == key_type and (kid is None or key.get("kid") == kid)]
    usable = [key for key in matching if key_type != "RSA" or len(key.get("n", "")) in RSA_MODULUS_LENGTHS]
    return usable[:MAX_CANDIDATES]


def _check_signature(token: jws.CompactSignature, candidates: list[JSON]) -> None:
    if not any(_is_signed_by(token, key) for key in candidates):
        raise InvalidClientError("No key of the client matches the assertion's signature.")


def _is_signed_by(token: jws.CompactSignature, key: JSON) -> bool:
    try:
        public_key = jwk.import_key({name: key[name] for name in PUBLIC_MEMBERS if name in key})
        return jws.validate_compact(token, public_key, registry=ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError, UnsupportedAlgorithm):
        return False


def _mark_used(connection: Connection, client_id: str, claims: JSON) -> tuple[int, bool]:
    """Returns the seconds that this client must wait (0 if none), and whether this is the assertion's first use.

    Used assertions are stored until they expire, MAX_STORED in a bucket; those that expire first are evicted first.
    """
    wait = attempts.count(connection, attempts.assertions(client_id))
    if wait:
        return wait, False
    digest = tokens.digest(f"{client_id} {claims['jti']}")
    bucket = bucket_of(digest)
    make_room(connection, "assertions", bucket, MAX_STORED)
    ttl = timedelta(seconds=claims["exp"] + LEEWAY + 1 - time.time())
    row = connection.use_assertion(bucket=bucket, hash=digest, expires_at=utc_now(ttl))
    return 0, row is not None
