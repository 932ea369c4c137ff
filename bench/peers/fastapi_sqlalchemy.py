"""FastAPI with SQLAlchemy's asyncio extension on SQLite, as the documentation of both has it."""

import hmac
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import event, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.peers.limits import DEFAULT_LIMIT, MAX_LIMIT, MAX_TEXT
from bench.peers.sqlite import make_durable

KEY = os.environ["SERVICE_AUTH_KEY"].encode()

engine = create_async_engine(make_url(os.environ["DATABASE_URL"]).set(drivername="sqlite+aiosqlite"))
event.listen(engine.sync_engine, "connect", make_durable)
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables."""


class Todo(Base):
    """A to-do in the database."""

    __tablename__ = "todos"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(index=True)
    todo: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


class NewTodo(BaseModel):
    """The request body of add_todo."""

    todo: str = Field(min_length=1, max_length=MAX_TEXT)


class TodoOut(BaseModel):
    """A to-do in a response."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    todo: str
    status: str
    version: int
    created_at: datetime
    updated_at: datetime


class Page(BaseModel):
    """A page of a list."""

    model_config = ConfigDict(from_attributes=True)

    todos: list[TodoOut]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def check_key(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> None:
    """Raises HTTPException 401 unless the request carries the key."""
    if not hmac.compare_digest(credentials.credentials.encode(), KEY):
        raise HTTPException(401)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
app = FastAPI(lifespan=lifespan, dependencies=[Depends(check_key)])


@app.get("/todos/{username}", response_model=Page)
async def list_todos(
    username: str, session: Session, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
) -> dict[str, Sequence[Todo]]:
    found = await session.scalars(
        select(Todo).where(Todo.username == username, Todo.status == "open").order_by(Todo.id).limit(limit)
    )
    return {"todos": found.all()}


@app.post("/todos/{username}", response_model=TodoOut, status_code=201)
async def add_todo(username: str, body: NewTodo, session: Session) -> Todo:
    todo = Todo(username=username, todo=body.todo)
    session.add(todo)
    await session.commit()
    return todo
