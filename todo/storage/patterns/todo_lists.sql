-- The runs that make up each sort of list_todos (see domain/paging.py), each with its own statement and index. A run
-- starts after the cursor's row (keyset), never at an OFFSET.

-- name: list_{which}_oldest{filtered}
SELECT id, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND id > :after_id {and_filters}
ORDER BY id LIMIT :limit;

-- name: list_{which}_newest{filtered}
SELECT id, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND id < :after_id {and_filters}
ORDER BY id DESC LIMIT :limit;

-- name: list_{which}_dated{filtered}
SELECT id, due_key, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND due_key < '9999' AND (due_key, id) > (:after_key, :after_id) {and_filters}
ORDER BY due_key, id LIMIT :limit;

-- name: list_{which}_undated{filtered}
SELECT id, due_key, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND due_key = '9999' AND id > :after_id {and_filters}
ORDER BY id LIMIT :limit;

-- name: list_{which}_urgent{filtered}
SELECT id, due_key, urgency, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND urgency < 3
  AND (urgency, due_key, id) > (:after_urgency, :after_key, :after_id) {and_filters}
ORDER BY urgency, due_key, id LIMIT :limit;

-- name: list_{which}_dated_only{filtered}
SELECT id, due_key, urgency, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND urgency = 3 AND due_key < '9999'
  AND (due_key, id) > (:after_key, :after_id) {and_filters}
ORDER BY due_key, id LIMIT :limit;

-- name: list_{which}_neither{filtered}
SELECT id, due_key, urgency, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND urgency = 3 AND due_key = '9999' AND id > :after_id {and_filters}
ORDER BY id LIMIT :limit;

-- name: list_{which}_updated{filtered}
SELECT id, updated_at, {shown} FROM todos
WHERE user_id = :user_id AND {status} AND (updated_at, id) < (:after_key, :after_id) {and_filters}
ORDER BY updated_at DESC, id DESC LIMIT :limit;

-- The to-dos of a bulk change.
-- name: matching_{which}{filtered}
SELECT id, todo FROM todos
WHERE user_id = :user_id AND {status} {and_filters}
ORDER BY id LIMIT :limit;

-- name: total_{which}{filtered}^
SELECT COUNT(*) AS total FROM todos
WHERE user_id = :user_id AND {status} {and_filters};
