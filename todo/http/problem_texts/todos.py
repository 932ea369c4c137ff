"""Problems with to-dos, lists and changes."""

from todo import errors
from todo.http.problem_texts import Problem

PROBLEMS: dict[type[BaseException], Problem] = {
    errors.TodoNotFound: Problem(
        404,
        "todo_not_found",
        "No such to-do",
        "This list has no such to-do outside the trash.",
        "Call list_todos for the ids; with status=deleted it lists the trash, from which change_todos can restore.",
    ),
    errors.ListNotFound: Problem(
        404,
        "list_not_found",
        "No such list",
        "No list has this name; lists has the names that exist.",
        "Use a name in lists.",
    ),
    errors.ListArchived: Problem(
        409,
        "list_archived",
        "The list is archived",
        "The list is archived, so no to-do can be put into it. Nothing was done.",
        "Restore it by update_list with archived: false, or use another list.",
    ),
    errors.ListExists: Problem(
        409,
        "list_exists",
        "The name is taken",
        "Another list has this name. Nothing was done.",
        "Choose another name, or move the to-dos by delete_list with move_to.",
    ),
    errors.InboxIsFixed: Problem(
        409,
        "inbox_is_fixed",
        "The inbox cannot be changed",
        "The inbox cannot be renamed, archived, moved or deleted. Nothing was done.",
        "Name another list; to-dos of the inbox can be moved or deleted one by one.",
    ),
    errors.TooManyLists: Problem(
        409,
        "too_many_lists",
        "Too many lists",
        "The maximum number of lists, including archived ones, is reached. Nothing was done.",
        "Use a list that exists, or delete one with delete_list.",
    ),
    errors.ChangedMeanwhile: Problem(
        409,
        "changed_meanwhile",
        "The list keeps changing",
        "Others kept changing the list during the search. Nothing was done.",
        "Call again.",
    ),
    errors.ChangeNotFound: Problem(
        404, "change_not_found", "No such change", "This list has no change with that id.", "Call list_changes for ids."
    ),
    errors.VersionConflict: Problem(
        409,
        "version_conflict",
        "The to-do has changed",
        "This to-do has changed since the version in if_version. Nothing was done.",
        "Call get_todo, look at what changed, and call again with if_version set to current_version.",
    ),
    errors.UnexpectedCount: Problem(
        409,
        "unexpected_count",
        "The number does not match",
        "The number of to-dos that match filter differs from expect; matched is that number. Nothing was done.",
        "If these are the right ones, send matched as expect; else change filter.",
    ),
    errors.TooManyMatching: Problem(
        409,
        "too_many_matching",
        "Too many to-dos match",
        "More to-dos match filter than one call may change; matched is their number. Nothing was done.",
        "Narrow filter, by due_from and due_to or a list, and call once for each part.",
    ),
    errors.UndoConflict: Problem(
        409,
        "undo_conflict",
        "Something has changed since",
        "Later changes conflict with undoing this one; conflicts lists each. Nothing was done.",
        "Undo the later changes first, or send force: true, which undoes everything that is not in conflicts.",
    ),
    errors.NothingToUndo: Problem(
        409,
        "nothing_to_undo",
        "Nothing to undo",
        "Everything in this change has been removed for good, or is already as it was before.",
        "Call list_changes to see what can be undone.",
    ),
    errors.RequestIdReused: Problem(
        409,
        "request_id_reused",
        "The request_id was used before",
        "This request_id (or Idempotency-Key) was used for a different request. Nothing was done.",
        "Use a new request_id for each new request; reuse one only to retry the same request.",
    ),
    errors.RequestIdsDiffer: Problem(
        409,
        "request_ids_differ",
        "Two ids for one request",
        "The request_id in the body differs from the Idempotency-Key header. Nothing was done.",
        "Send one of the two, or the same in both.",
    ),
    errors.QuotaExceeded: Problem(
        409,
        "quota_exceeded",
        "The list is full",
        "The list has the maximum number of to-dos, not counting the trash. Nothing was done.",
        "Delete to-dos that are done; list_todos with status=done lists them.",
    ),
    errors.AnswerGone: Problem(
        409,
        "answer_gone",
        "The request was done before",
        "This is a retry of a request that succeeded; its response was removed with the trash. Nothing was done again.",
        "Do not retry; call list_todos or list_changes to see what it did.",
    ),
    errors.StorageFull: Problem(
        409,
        "storage_full",
        "The list is out of storage",
        "The to-dos, trash, history and responses kept for retries fill the list's storage. Nothing was done.",
        "Ask the person to empty the trash, or to clear old history on the page /history; deleting still works.",
    ),
}
