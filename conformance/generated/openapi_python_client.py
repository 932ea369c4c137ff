"""The README's story by the client that openapi-python-client generates. argv is URL, key and username."""

import json
import sys

from todo_client import AuthenticatedClient
from todo_client.api.changes import undo_change
from todo_client.api.todos import add_todo, complete_todo, delete_todo_by_index, get_todo, list_todos
from todo_client.models import NewTodo, Priority, Problem, TodoIndex

url, key, username = sys.argv[1:]

with AuthenticatedClient(base_url=url, token=key) as client:

    def texts():
        return [todo.todo for todo in list_todos.sync(username, client=client).todos]

    milk = NewTodo(todo="Buy milk", due="2026-11-27", tags=["home"], priority=Priority.HIGH, list_=None)
    added = add_todo.sync(username, client=client, body=milk)
    listed = texts()
    completed = complete_todo.sync(username, added.id, client=client)
    reopened = undo_change.sync(username, completed.change_id, client=client)
    deleted = delete_todo_by_index.sync(username, client=client, body=TodoIndex(todo_idx=0))
    left = texts()
    undone = undo_change.sync(username, deleted.change_id, client=client)
    refused = get_todo.sync_detailed(username, 99, client=client)
    assert isinstance(refused.parsed, Problem)
    told = {
        "added": [added.todo, added.due, added.tags, added.priority],
        "listed": listed,
        "completed": completed.status,
        "reopened": [todo.after.status for todo in reopened.todos],
        "deleted": deleted.status,
        "left": left,
        "undone": undone.undoes - added.change_id,
        "back": texts(),
        "refused": [refused.status_code, refused.parsed.code],
    }
print(json.dumps(told))
