"""Password resets: links to a form for a new password. Each works once, for a short time; only its hash is stored."""

from datetime import timedelta

from todo.accounts import accounts, attempts, tokens
from todo.accounts.accounts import Account
from todo.accounts.mailer import Mail, Mailer
from todo.contract import SITE, product
from todo.domain.users import utc_now
from todo.errors.access import ResetRefused
from todo.storage.engine import Engine
from todo.storage.statements import Connection

LIFETIME = timedelta(minutes=SITE.limit("reset_minutes"))
MAX_RESETS = SITE.limit("resets")

TEXT = """Hello {username},

somebody has asked for a new password for your {thing}. If that was you, set it here within {minutes} minutes:

{link}

If it was not you, there is nothing to do: your password stays as it is.
"""


def request(engine: Engine, mailer: Mailer, public_url: str, address: str, username: str) -> None:
    """Queues an e-mail with a reset link to the person's address. Raises TooManyAttempts and Overloaded.

    The account is looked up after the response, whose time therefore does not show whether there is one.
    """
    limits = attempts.resets(username.lower(), address)
    attempts.raise_if_limited(engine.submit_write(attempts.count, limits).result())

    def mail() -> Mail | None:
        account = engine.submit_read(accounts.find, username.lower()).result()
        if not account or not account.email:
            return None
        link = link_of(public_url, engine.submit_write(new, account).result())
        text = TEXT.format(
            thing=product.THING, username=account.username, minutes=SITE.limit("reset_minutes"), link=link
        )
        return Mail(account.email, f"A new password for your {product.THING}", text)

    mailer.submit(mail)


def link_of(public_url: str, secret: str) -> str:
    """Returns the URL of the form for a new password."""
    return f"{public_url}/reset-password/{secret}"


def new(connection: Connection, account: Account) -> str:
    """Returns the secret of a new link. Beyond MAX_RESETS, older ones end. Raises WrongPassword like accounts.lock."""
    accounts.lock(connection, account)
    connection.delete_oldest_resets(user_id=account.user_id, now=utc_now(), kept=MAX_RESETS - 1)
    secret = tokens.new_for(account.user_id, "reset")
    connection.insert_reset(user_id=account.user_id, hash=tokens.digest(secret), expires_at=utc_now(LIFETIME))
    return secret


def new_for(connection: Connection, username: str) -> str | None:
    """Returns the secret of a new link for the account with this lower-case name, or None if there is none."""
    account = accounts.find(connection, username)
    return new(connection, account) if account else None


def find(connection: Connection, secret: str) -> Account:
    """Returns the account whose password the link resets. Raises ResetRefused."""
    key = tokens.key_of(secret)
    row = key and connection.account_of_reset(**key, now=utc_now())
    if not row:
        raise ResetRefused
    return Account.from_row(row)


def use(connection: Connection, secret: str, password_hash: str) -> Account:
    """Sets the password and returns the account; all of its sessions and links end. Raises ResetRefused."""
    connection.lock_user_by_id(user_id=find(connection, secret).user_id)
    user_id = find(connection, secret).user_id  # another call may have used it meanwhile
    accounts.save_password(connection, user_id, password_hash)
    return Account.from_row(connection.account_by_user(user_id=user_id))
