"""Handler of the tag quick_add: what the text of a to-do says, while it is being typed."""

from flask import Response, jsonify

from todo.domain.users import Owner
from todo.web import quick_form


def read_quick_add(user: Owner, todo: str, plain: str = "") -> Response:
    response = jsonify(parts=quick_form.parts_of(user, todo, plain))
    response.headers["Cache-Control"] = "no-store"
    return response
