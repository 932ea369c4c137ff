-- name: todo_by_id^
SELECT * FROM todos WHERE user_id = :user_id AND id = :id;

-- name: todos_of_change
SELECT * FROM todos WHERE user_id = :user_id AND id IN (
    SELECT record_id FROM changes
    WHERE user_id = :user_id AND overflow IN (0, 1) AND id = :change_id AND kind = 'todo'
);

-- `ids` is a text, such as 1,2,3.
-- name: todos_by_ids
SELECT * FROM todos WHERE user_id = :user_id AND id IN ({ids}) ORDER BY id;

-- The open to-dos with the same due date, or with none, which share an order.
-- name: places_of_due
SELECT id, position FROM todos WHERE user_id = :user_id AND status = 'open' AND due_key = :due_key;

-- Whether a to-do of a change has been changed since.
-- name: changed_since^
SELECT 1 AS changed FROM todos WHERE user_id = :user_id AND change_id <> :change_id AND id IN (
    SELECT record_id FROM changes
    WHERE user_id = :user_id AND overflow IN (0, 1) AND id = :change_id AND kind = 'todo'
) LIMIT 1;

-- A page of to-dos of a status as one text, by id, the order of the primary key: COALESCE prevents the use of indexes.
-- name: joined_todos^
SELECT {joined} AS todos, COUNT(*) AS returned, MAX(id) AS last_id FROM (
    SELECT id, {shown} FROM todos
    WHERE user_id = :user_id AND id > :after_id AND COALESCE(status, '') = :status
    ORDER BY id LIMIT :limit
) AS page;

-- name: next_todo^
SELECT id FROM todos
WHERE user_id = :user_id AND id > :after_id AND COALESCE(status, '') = :status
ORDER BY id LIMIT 1;

-- Only for delete_todo_by_index, which names a to-do by its position; lists never page by OFFSET.
-- name: open_todo_at^
SELECT * FROM todos WHERE user_id = :user_id AND status = 'open' AND {unarchived} ORDER BY id LIMIT 1 OFFSET :place;

-- Best match first: by the number of matching words, then newest.
-- name: search_words
SELECT id, todo FROM (
    SELECT id, todo,
           CASE WHEN search_text LIKE :first ESCAPE '!' THEN 1 ELSE 0 END
           + CASE WHEN search_text LIKE :second ESCAPE '!' THEN 1 ELSE 0 END
           + CASE WHEN search_text LIKE :third ESCAPE '!' THEN 1 ELSE 0 END
           + CASE WHEN search_text LIKE :fourth ESCAPE '!' THEN 1 ELSE 0 END
           + CASE WHEN search_text LIKE :fifth ESCAPE '!' THEN 1 ELSE 0 END AS hits
    FROM todos WHERE user_id = :user_id AND status NOT IN ('deleted', 'removed') AND {unarchived}
) AS counted
WHERE hits > 0 ORDER BY hits DESC, id DESC LIMIT :limit;

-- name: insert_todos*!
INSERT INTO todos (user_id, id, todo, notes, due, due_key, urgency, tags, tag_keys, search_text, repeat, steps, series,
                   series_start, occurrence, status, version, created_at, updated_at, done_at, deleted_at, share,
                   share_until, change_id, list_id, position, json, bytes)
VALUES (:user_id, :id, :todo, :notes, :due, :due_key, :urgency, :tags, :tag_keys, :search_text, :repeat, :steps, :series,
        :series_start, :occurrence, :status, :version, :created_at, :updated_at, :done_at, :deleted_at, :share,
        :share_until, :change_id, :list_id, :position, :json, :bytes);

-- name: save_todos*!
UPDATE todos
SET todo = :todo, notes = :notes, due = :due, due_key = :due_key, urgency = :urgency, tags = :tags,
    tag_keys = :tag_keys, search_text = :search_text, repeat = :repeat, steps = :steps, series = :series, series_start = :series_start,
    occurrence = :occurrence, status = :status, version = :version, updated_at = :updated_at, done_at = :done_at,
    deleted_at = :deleted_at, share = :share, share_until = :share_until, change_id = :change_id, list_id = :list_id,
    position = :position, json = :json, bytes = :bytes
WHERE user_id = :user_id AND id = :id;

-- name: todo_by_share^
SELECT * FROM todos WHERE user_id = :user_id AND share = :share;

-- name: remove_todo^
DELETE FROM todos WHERE user_id = :user_id AND id = :id AND status IN ('deleted', 'removed') RETURNING bytes;

-- name: save_newest_change!
UPDATE todos SET change_id = :change_id WHERE user_id = :user_id AND id = :id;

-- name: todos_of_occurrence
SELECT id FROM todos
WHERE user_id = :user_id AND series = :series AND occurrence = :occurrence
  AND status NOT IN ('deleted', 'removed');

-- name: expired_in_trash
SELECT id, change_id FROM todos
WHERE user_id = :user_id AND status = 'deleted' AND {closed} AND updated_at < :deleted_before
ORDER BY updated_at LIMIT :limit;

-- name: due_todos
SELECT * FROM todos
WHERE user_id = :user_id AND status = 'open' AND due_key < '9999' AND due_key >= :since AND {unarchived}
ORDER BY due_key, id LIMIT :limit;

-- name: todos_of_status
SELECT id, change_id FROM todos WHERE user_id = :user_id AND status = :status AND change_id <= :until_id LIMIT :limit;

-- name: delete_todos_of_user!
DELETE FROM todos WHERE user_id = :user_id;

-- name: all_todos
SELECT * FROM todos WHERE user_id = :user_id AND status <> 'removed' ORDER BY id;
