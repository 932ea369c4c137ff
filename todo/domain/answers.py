"""Extra fields in the answer to a write, beyond the to-do's own. They are not stored with the to-do."""

from typing import Any

JSON = dict[str, Any]


class Answers:
    """The extra fields of the answers to one change, by to-do."""

    def __init__(self) -> None:
        self._fields: dict[int, JSON] = {}

    def tell(self, todo_id: int, **fields: Any) -> None:
        """Adds fields to the answer about a to-do. A new `note` is appended to an earlier one."""
        told = self._fields.setdefault(todo_id, {})
        if "note" in told and "note" in fields:
            fields["note"] = f"{told['note']} {fields['note']}"
        told |= fields

    def about(self, todo_id: int) -> JSON:
        """Returns the extra fields of the answer about a to-do."""
        return self._fields.get(todo_id, {})
