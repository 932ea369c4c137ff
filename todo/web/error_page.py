"""The page that a browser gets for a refusal: what is wrong and what to do next, in words for a person."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from todo.http.problems import PROBLEMS
from todo.web import words
from todo.web.forms import REFUSED

JSON = dict[str, Any]

TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)

# Title, what is wrong, and what to do next. Other problems keep their own words, which suit a person as well.
TOLD = {
    "not_found": (
        "Page not found",
        "There is no page at this address.",
        "It may be mistyped, or the page is gone. Check the address, or start from one of the pages below.",
    ),
    "method_not_allowed": (
        "Nothing to see here",
        "This address is not a page: it is for forms and programs.",
        "Start from one of the pages below.",
    ),
    "invalid_request": (
        "This could not be read",
        "The address or the form has something that is not allowed here.",
        "Go back, correct it, and try again.",
    ),
    "signed_out": (
        "You are signed out",
        "You are signed out, or your session has ended. Nothing was done.",
        "Sign in and try again.",
    ),
    "rate_limited": ("Too many requests", "There were too many requests in a short time. Nothing was done.", ""),
    "too_many_attempts": ("Too many attempts", "There were too many attempts in a short time.", ""),
    "payload_too_large": (
        "This is too large",
        "The file or the text is larger than this service takes. Nothing was done.",
        "Send less at once: split the file, or shorten the text.",
    ),
    "headers_too_large": (
        "Your browser sent too much",
        "The address and the cookies that your browser sends are too long.",
        "Delete the cookies of this site in the browser's settings, and try again.",
    ),
    "unsupported_media_type": (
        "This could not be read",
        "The form was sent in a way that this service does not know. Nothing was done.",
        "Go back, reload the page, and send the form again.",
    ),
    "request_timeout": (
        "The connection was too slow",
        "What your browser sent did not arrive in time. Nothing was done.",
        "Check the connection, go back, and try again.",
    ),
    "internal_error": (
        "Something went wrong",
        "This is a fault of the service, not yours.",
        "Check whether your change is there before you send it again. If this keeps happening, tell the operator.",
    ),
    "overloaded": ("Too busy", "The service has too much to do at the moment. Nothing was done.", ""),
    "storage_unavailable": ("Not available", "The service cannot reach its database. Nothing was changed.", ""),
    "outcome_unknown": (
        "It may be saved, or not",
        "The connection to the database broke while your change was being saved.",
        "Check whether it is there before you send it again.",
    ),
    "read_too_slow": (
        "The search took too long",
        "The search took too long and was stopped. Nothing was changed.",
        "Search for something longer or more specific, or for fewer days.",
    ),
    "host_not_allowed": (
        "Wrong address",
        "This service is not known by the name in the address.",
        "Use the address that the operator gave you.",
    ),
    **{PROBLEMS[kind].code: (PROBLEMS[kind].title, said, "") for kind, said in REFUSED.items()},
}

# The pages that people know, to link to, the most specific first.
PLACES = {
    "/list": "Go to the list",
    "/lists": "Go to the list",
    "/history": "Go to the history",
    "/trash": "Go to the trash",
    "/account": "Go to your account",
    "/sign-up": "Create an account",
    "/sign-in": "Sign in",
    "/sign-out": "Go to the list",
}
ADDRESSES = {"/lists": "/list", "/sign-out": "/list"}  # for paths without a page of their own
HOME = ("/", "Go to the home page")


def render(problem: JSON, path: str, wait: str | None) -> str:
    """Returns the page as HTML. `path` is what was requested, and `wait` the seconds before trying again."""
    usual = problem["title"], problem["detail"], problem["hint"]
    title, said, hint = TOLD.get(problem["code"], usual)
    return TEMPLATES.get_template("refused.html").render(
        problem=problem, title=title, said=said, hint=hint, wait=_wait(wait), links=_links(problem, path), words=words
    )


def _wait(seconds: str | None) -> str | None:
    """Returns how long to wait, in words."""
    if seconds is None:
        return None
    count, unit = (int(seconds), "second") if int(seconds) < 120 else (-(-int(seconds) // 60), "minute")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _links(problem: JSON, path: str) -> list[tuple[str, str]]:
    """Returns the pages to go to, as (URL, text): the page that the form was on, and home."""
    if problem["code"] == "signed_out":
        return [("/sign-in", PLACES["/sign-in"]), HOME]
    place = "/" + path.removeprefix("/").partition("/")[0]
    return [(ADDRESSES.get(place, place), PLACES[place]), HOME] if place in PLACES else [HOME]
