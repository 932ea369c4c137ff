"""Passkeys (Web Authentication Level 3): keys in a person's devices, which sign in without a username or a password.

The library `webauthn` checks the authenticators' responses. It is imported when it is first needed, which is rarely.
"""

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from todo.accounts import attempts, challenges
from todo.accounts.accounts import Account
from todo.contract import SITE, product
from todo.domain import users
from todo.domain.owned_secrets import END_OF_IDS, ID_BYTES
from todo.domain.users import Owner, utc_now
from todo.errors.access import PasskeyRefused, TooManyPasskeys
from todo.storage.engine import Engine
from todo.storage.statements import Connection

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

JSON = dict[str, Any]
T = TypeVar("T")
MAX_PASSKEYS = SITE.limit("passkeys")


class Browser(NamedTuple):
    """A person's browser: the secret of its session, and the PUBLIC_URL that it uses."""

    session: str
    public_url: str

    @property
    def host(self) -> str:
        """Returns the host that passkeys are for. Raises PasskeyRefused."""
        host = host_of(self.public_url)
        if host is None:
            raise PasskeyRefused
        return host


def host_of(public_url: str) -> str | None:
    """Returns the host that passkeys are for, or None for an IP address, which cannot have any."""
    host = str(urlsplit(public_url).hostname)
    try:
        ip_address(host)
    except ValueError:
        return host
    return None


def all_of(connection: Connection, user_id: int) -> list[JSON]:
    """Returns the passkeys of a user, oldest first."""
    return [dict(row) for row in connection.passkeys_of_user(user_id=user_id)]


def offer_sign_in(engine: Engine, browser: Browser) -> JSON:
    """Returns the options with which an authenticator signs in. Raises PasskeyRefused."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    host = browser.host
    challenge = engine.submit_write(challenges.new, "sign in", browser.session).result()
    required = UserVerificationRequirement.REQUIRED
    options = webauthn.generate_authentication_options(rp_id=host, challenge=challenge, user_verification=required)
    return _as_json(options)


def offer_new(engine: Engine, browser: Browser, account: Account) -> JSON:
    """Returns the options with which an authenticator makes a passkey. Raises PasskeyRefused and TooManyPasskeys."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    host = browser.host
    known = engine.submit_read(all_of, account.user_id).result()
    if len(known) >= MAX_PASSKEYS:
        raise TooManyPasskeys
    options = webauthn.generate_registration_options(
        rp_id=host,
        rp_name=product.TITLE,
        user_name=account.username,
        user_id=account.user_id.to_bytes(ID_BYTES),  # random, and comes back at sign-in
        challenge=engine.submit_write(challenges.new, "new passkey", browser.session).result(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_descriptor(passkey["id"]) for passkey in known],
    )
    return _as_json(options)


def add(engine: Engine, browser: Browser, owner: Owner, name: str, credential: str) -> None:
    """Adds the passkey that an authenticator has made. Raises PasskeyRefused, TooManyPasskeys and SignedOut."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url, parse_registration_credential_json

    host, parsed = browser.host, _checked(lambda: parse_registration_credential_json(credential))
    challenge = _used(engine, "new passkey", browser, parsed.response.client_data_json)
    verified = _checked(
        lambda: webauthn.verify_registration_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=browser.public_url,
            require_user_verification=True,
        )
    )
    row = {
        "id": bytes_to_base64url(verified.credential_id),
        "public_key": bytes_to_base64url(verified.credential_public_key),
        "sign_count": verified.sign_count,
        "name": name,
    }
    engine.submit_write(_insert, owner, row).result()


def remove(connection: Connection, owner: Owner, passkey_id: str) -> None:
    """Removes a passkey, if it exists. Raises SignedOut."""
    connection.delete_passkey(user_id=users.lock(connection, owner).id, id=passkey_id)


def sign_in(engine: Engine, browser: Browser, address: str, credential: str) -> Account:
    """Returns the account whose passkey signed the challenge. Raises TooManyAttempts and PasskeyRefused."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json

    host, parsed = browser.host, _checked(lambda: parse_authentication_credential_json(credential))
    passkey_id = bytes_to_base64url(parsed.raw_id)
    account, passkey = engine.submit_read(_find, parsed.response.user_handle or b"", passkey_id).result()
    limits = attempts.passkeys(account.username if account else None, address)
    attempts.raise_if_limited(engine.submit_write(attempts.count, limits).result())
    challenge = _used(engine, "sign in", browser, parsed.response.client_data_json)
    if account is None:
        raise PasskeyRefused
    verified = _checked(
        lambda: webauthn.verify_authentication_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=host,
            expected_origin=browser.public_url,
            credential_public_key=base64url_to_bytes(passkey["public_key"]),
            credential_current_sign_count=passkey["sign_count"],
            require_user_verification=True,
        )
    )
    engine.submit_write(_note_use, account.user_id, passkey_id, verified.new_sign_count).result()
    engine.submit_write(attempts.forgive, limits).result()
    return account


def _find(connection: Connection, user_handle: bytes, passkey_id: str) -> tuple[Account | None, Any]:
    """Returns the account and the row of a passkey, or None and None."""
    user_id = int.from_bytes(user_handle) if len(user_handle) == ID_BYTES else END_OF_IDS
    passkey = user_id < END_OF_IDS and connection.passkey_by_id(user_id=user_id, id=passkey_id)
    row = passkey and connection.account_by_user(user_id=user_id)
    return (Account.from_row(row), passkey) if row else (None, None)


def _insert(connection: Connection, owner: Owner, row: JSON) -> None:
    user = users.lock(connection, owner)
    if len(all_of(connection, user.id)) >= MAX_PASSKEYS:
        raise TooManyPasskeys
    connection.insert_passkey(user_id=user.id, now=utc_now(), **row)


def _note_use(connection: Connection, user_id: int, passkey_id: str, sign_count: int) -> None:
    """Records a sign-in. Raises PasskeyRefused if the passkey was removed meanwhile, or the response reused."""
    if not connection.note_use_of_passkey(user_id=user_id, id=passkey_id, sign_count=sign_count, now=utc_now()):
        raise PasskeyRefused


def _used(engine: Engine, purpose: challenges.Purpose, browser: Browser, client_data: bytes) -> bytes:
    """Uses up and returns the challenge that the authenticator has signed. Raises PasskeyRefused."""
    from webauthn.helpers import parse_client_data_json

    challenge = _checked(lambda: parse_client_data_json(client_data).challenge)
    if not engine.submit_write(challenges.use, purpose, browser.session, challenge).result():
        raise PasskeyRefused
    return challenge


def _checked(check: Callable[[], T]) -> T:
    """Returns the result of a check by the library. Raises PasskeyRefused for any error in what was sent."""
    try:
        return check()
    except Exception:
        raise PasskeyRefused from None


def _descriptor(passkey_id: str) -> "PublicKeyCredentialDescriptor":
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey_id))


def _as_json(options: Any) -> JSON:
    from webauthn.helpers import options_to_json_dict

    return dict(options_to_json_dict(options))
