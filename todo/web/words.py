"""The functions that templates call, under the one name `words`."""

from todo.web.activity import FIELDS, NAMELESS, actor, called, differing, done, happened, text, value
from todo.web.assets import url as static
from todo.web.dates import day, due, exact, repeat
from todo.web.days import by_day, heading, month_name, months_around, of_month, weekdays
from todo.web.forms import form_of, list_choices, new_request_id, refused, repeat_choices, step_names
from todo.web.links import with_links
from todo.web.theme import SCHEMES
from todo.web.urls import of_list, with_edit, without

# fmt: off
__all__ = [
    "FIELDS",
    "NAMELESS",
    "SCHEMES",
    "actor",
    "by_day",
    "called",
    "day",
    "differing",
    "done",
    "due",
    "exact",
    "form_of",
    "happened",
    "heading",
    "list_choices",
    "month_name",
    "months_around",
    "new_request_id",
    "of_list",
    "of_month",
    "refused",
    "repeat",
    "repeat_choices",
    "static",
    "step_names",
    "text",
    "value",
    "weekdays",
    "with_edit",
    "with_links",
    "without",
]
# fmt: on
