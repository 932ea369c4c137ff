"""The README's story by the client that openapi-generator generates for Python. argv is URL, key and username."""

import json
import sys

from todo_client import ApiClient, ChangesApi, Configuration, TodosApi
from todo_client.exceptions import NotFoundException
from todo_client.models import NewTodo, PriorityOrNull, Problem, TodoIndex

url, key, username = sys.argv[1:]

with ApiClient(Configuration(host=url, access_token=key)) as client:
    todos, changes = TodosApi(client), ChangesApi(client)

    def texts():
        return [todo.todo for todo in todos.list_todos(username).todos]

    milk = NewTodo(todo="Buy milk", due="2026-11-27", tags=["home"], priority=PriorityOrNull.HIGH)
    added = todos.add_todo(username, milk)
    listed = texts()
    completed = todos.complete_todo(username, added.id)
    reopened = changes.undo_change(username, completed.change_id)
    deleted = todos.delete_todo_by_index(username, TodoIndex(todo_idx=0))
    left = texts()
    undone = changes.undo_change(username, deleted.change_id)
    try:
        todos.get_todo(username, 99)
    except NotFoundException as error:
        refused = [error.status, Problem.from_json(error.body).code]
    told = {
        "added": [added.todo, added.due, added.tags, added.priority],
        "listed": listed,
        "completed": completed.status,
        "reopened": [todo.after.status for todo in reopened.todos],
        "deleted": deleted.status,
        "left": left,
        "undone": undone.undoes - added.change_id,
        "back": texts(),
        "refused": refused,
    }
print(json.dumps(told))
