"""Lists of to-dos: one page, by status, filters and sort."""

from typing import Any

import orjson

from todo.contract import API
from todo.domain import due_ranges, lists, users
from todo.domain.folding import escape_like, fold, longest_words
from todo.domain.list_names import with_names
from todo.domain.paging import NO_DUE, Page
from todo.domain.todos import UNSET_PRIORITY, shown, urgency_of
from todo.domain.users import DAY, Owner, User, today
from todo.storage.statements import Connection

JSON = dict[str, Any]

ANY_LIST = -1  # as a filter, every list that is not archived
MAX_SCANNED = 100  # to-dos of any status, up to which the rest of a list is read without an index
DUE_FILTERS = {"when", "due_from", "due_to"}
MAX_WORDS = API.limit("search_words")  # as many as todo_words.sql has
NOTHING_LEFT = ""  # the pattern of words that are only accents: it finds a text that is only accents


def page(
    connection: Connection, owner: Owner, status: str, filters: JSON, sort: str, limit: int, cursor: str | None
) -> orjson.Fragment:
    """Returns one page as JSON; `filters` has the filters that are set. Raises InvalidRequest for a bad cursor.

    A page without filters is cached until the list or the minute changes, as `overdue` depends on the time.
    """
    user = users.find(connection, owner)
    now = user.local_now()
    key = (user.version, user.time_zone, now, status, sort, limit, cursor)
    text = None if filters else connection.cache.get(key)
    if text is None:
        page = orjson.dumps(_page(connection, user, now, status, filters, Page(sort, limit, cursor))).decode()
        text = with_names(connection, user, page)
        if not filters:
            connection.cache.put(key, text)
    return orjson.Fragment(text)


def default_status(filters: JSON) -> str:
    """Returns the status that is listed if the caller asks for none."""
    return "done" if not filters.keys().isdisjoint({"done_from", "done_to"}) else "open"


def variant_of(status: str) -> str:
    """Returns the variant of a list statement that finds all to-dos of this status."""
    return status if status in ("open", "all") else "closed"


def filtered_variant(user: User, status: str, filters: JSON, conditions: JSON) -> str:
    """Returns the variant of a list statement that takes these filters, with the parameters from `conditions_of`."""
    is_only_due = filters.keys() <= DUE_FILTERS and conditions["due_to"] < NO_DUE and not user.archived_lists
    return "open_due" if status == "open" and is_only_due else f"{variant_of(status)}_filtered"


def conditions_of(connection: Connection, user: User, now: str, filters: JSON) -> JSON:
    """Returns the parameters of todo_filters.sql at a local time. Raises ListNotFound."""
    return _conditions(user, now, **_with_list_id(connection, user, filters))


def _page(connection: Connection, user: User, now: str, status: str, filters: JSON, wanted: Page) -> JSON:
    conditions = {"user_id": user.id, "status": status, "now": now, "today": now[:DAY]}
    if filters or user.archived_lists:
        conditions |= conditions_of(connection, user, now, filters)
        variant = filtered_variant(user, status, filters, conditions)
        total = getattr(connection, f"total_{variant}")(**conditions)["total"]
        if not total:
            return _page_of(connection, user, now, "", 0, 0)
    else:
        variant = variant_of(status)
        total = user.open_count + user.done_count if status == "all" else user.counts[status]
        page = _joined_page(connection, user, conditions, total, wanted) if variant != "all" else None
        if page:
            return page
    rows, next_cursor = wanted.cut(_rows(connection, variant, conditions, wanted))
    text = ",".join([row["json"] for row in rows])
    return _page_of(connection, user, now, text, len(rows), total, next_cursor)


def _joined_page(connection: Connection, user: User, conditions: JSON, total: int, wanted: Page) -> JSON | None:
    """Returns a page that the database joins to one text, or None if it is not by id, too far from the end or too
    long."""
    if wanted.after_id is None or user.last_todo_id - wanted.after_id > MAX_SCANNED:
        return None
    found = connection.joined_todos(**conditions, after_id=wanted.after_id, limit=wanted.limit)
    text, returned, last_id = found["todos"] or "", found["returned"], found["last_id"]
    if not wanted.fits(text):
        return None
    has_more = returned == wanted.limit and returned < total
    if has_more and not wanted.is_first:
        has_more = connection.next_todo(**conditions, after_id=last_id) is not None
    next_cursor = wanted.next_cursor(last_id) if has_more else None
    return _page_of(connection, user, conditions["now"], text, returned, total, next_cursor)


def _rows(connection: Connection, variant: str, conditions: JSON, wanted: Page) -> list[Any]:
    """Returns the rows of a page, and the next one if there is one."""
    rows: list[Any] = []
    for run, after in wanted.runs():
        find_run = getattr(connection, f"list_{variant}_{run}")
        rows += find_run(**conditions, **after, limit=wanted.limit + 1 - len(rows))
        if len(rows) > wanted.limit:
            break
    return rows


def _page_of(
    connection: Connection, user: User, now: str, rows: str, returned: int, total: int, next_cursor: str | None = None
) -> JSON:
    todos = orjson.Fragment(f"[{shown(rows, user, connection.public_url)}]")
    page = {"todos": todos, "returned": returned, "total": total, "today": today(now)}
    return page | ({"next_cursor": next_cursor} if next_cursor else {})


def _with_list_id(connection: Connection, user: User, filters: JSON) -> JSON:
    """Returns the filters with the id of a list in place of its name. Raises ListNotFound."""
    others = {name: value for name, value in filters.items() if name != "list"}
    return {**others, "list_id": lists.find_id(connection, user, filters["list"])} if "list" in filters else others


def _conditions(
    user: User,
    now: str,
    list_id: int = ANY_LIST,
    q: str | None = None,
    tag: str | None = None,
    when: str | None = None,
    due_from: str | None = None,
    due_to: str | None = None,
    done_from: str | None = None,
    done_to: str | None = None,
    priority: str | None = None,
) -> JSON:
    """Returns the parameters of todo_filters.sql; an absent filter matches everything."""
    default = due_ranges.DATED if due_from or due_to else due_ranges.ANY
    due = due_ranges.of(when, now, user.week_start) if when else default
    return {
        **patterns(q, tag),
        "list_id": list_id,
        **due.within(due_from, due_to)._asdict(),
        "urgency_from": urgency_of(priority) if priority else 0,
        "urgency_to": urgency_of(priority or UNSET_PRIORITY),
        "done_at_any_time": not (done_from or done_to),
        "done_from": user.day(done_from)[0] if done_from else "",
        "done_before": user.day(done_to)[1] if done_to else "~",
    }


def patterns(q: str | None, tag: str | None) -> JSON:
    """Returns the LIKE patterns for words and a tag; an absent filter matches everything."""
    words = [f"%{escape_like(word)}%" for word in longest_words(q or "", MAX_WORDS)]
    if q and not words:
        words = [NOTHING_LEFT]
    padded = words + ["%"] * (MAX_WORDS - len(words))
    return {
        **{f"word_{number}": pattern for number, pattern in enumerate(padded, start=1)},
        "one_word": len(words) <= 1,
        "tag_pattern": f"%\n{escape_like(fold(tag))}\n%" if tag else "%",
    }
