"""The functions that templates call, under the name `words`."""

from todo.contract import product
from todo.web.activity import (
    NAMELESS,
    actor,
    called,
    counted,
    differing,
    done,
    happened,
    label,
    noun,
    text,
    value,
    whence,
)
from todo.web.assets import url as static
from todo.web.change_lines import line
from todo.web.dates import due, exact, on, past, repeat, short, title
from todo.web.days import by_day, heading, month_name, months_around, of_month, weekdays
from todo.web.forms import form_of, list_choices, new_request_id, refused, repeat_choices, step_names
from todo.web.links import with_links
from todo.web.theme import SCHEMES
from todo.web.urls import of_list, with_edit, without

# fmt: off
__all__ = [
    "NAMELESS",
    "SCHEMES",
    "actor",
    "by_day",
    "called",
    "counted",
    "differing",
    "done",
    "due",
    "exact",
    "form_of",
    "happened",
    "heading",
    "label",
    "line",
    "list_choices",
    "month_name",
    "months_around",
    "new_request_id",
    "noun",
    "of_list",
    "of_month",
    "on",
    "past",
    "product",
    "refused",
    "repeat",
    "repeat_choices",
    "short",
    "static",
    "step_names",
    "text",
    "title",
    "value",
    "weekdays",
    "whence",
    "with_edit",
    "with_links",
    "without",
]
# fmt: on
