"""URLs of the site's own pages."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def without(url: str, *names: str) -> str:
    """Returns the path and query of a URL, without these parameters and without `changed`."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("changed", *names)]
    return urlunsplit(("", "", parts.path, urlencode(kept), ""))


def of_list(name: str) -> str:
    """Returns the URL of the page of one list."""
    return f"/list?{urlencode({'list': name})}"


def with_edit(url: str, todo_id: int) -> str:
    """Returns the URL of the same page with a to-do open for editing."""
    plain = without(url, "edit")
    return f"{plain}{'&' if '?' in plain else '?'}edit={todo_id}#todo-{todo_id}"
