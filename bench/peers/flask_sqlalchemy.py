"""Flask with Flask-SQLAlchemy on SQLite, as the documentation of both has it."""

import hmac
import os
from datetime import UTC, datetime
from typing import Any

from flask import Flask, abort, request
from flask_sqlalchemy import SQLAlchemy  # type: ignore[import-not-found,unused-ignore]
from sqlalchemy import event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.peers.limits import DEFAULT_LIMIT, MAX_LIMIT, MAX_TEXT
from bench.peers.sqlite import make_durable

KEY = os.environ["SERVICE_AUTH_KEY"].encode()


class Base(DeclarativeBase):
    """The tables."""


app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
db = SQLAlchemy(app, model_class=Base)


class Todo(db.Model):  # type: ignore[name-defined,misc,unused-ignore]
    """A to-do in the database."""

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(index=True)
    todo: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "todo": self.todo,
            "status": self.status,
            "version": self.version,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


with app.app_context():
    event.listen(db.engine, "connect", make_durable)
    db.create_all()


@app.before_request
def check_key() -> None:
    """Answers 401 unless the request carries the key."""
    given = request.authorization
    if given is None or given.token is None or not hmac.compare_digest(given.token.encode(), KEY):
        abort(401)


@app.get("/todos/<username>")
def list_todos(username: str) -> dict[str, Any]:
    limit = min(request.args.get("limit", DEFAULT_LIMIT, type=int), MAX_LIMIT)
    found = db.session.scalars(
        select(Todo).where(Todo.username == username, Todo.status == "open").order_by(Todo.id).limit(limit)
    )
    return {"todos": [todo.to_json() for todo in found]}


@app.post("/todos/<username>")
def add_todo(username: str) -> tuple[dict[str, Any], int]:
    text = request.get_json().get("todo")
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT:
        abort(400)
    todo = Todo(username=username, todo=text)
    db.session.add(todo)
    db.session.commit()
    return todo.to_json(), 201
