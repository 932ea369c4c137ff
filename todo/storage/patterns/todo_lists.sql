-- The runs that make up each sort of list_todos (see domain/paging.py), each with its own statement and index. A run
-- starts after the cursor's row (keyset), never at an OFFSET.

-- name: list_{variant}_oldest
SELECT id, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND id > :after_id
ORDER BY id LIMIT :limit;

-- name: list_{variant}_newest
SELECT id, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND id < :after_id
ORDER BY id DESC LIMIT :limit;

-- name: list_{variant}_dated
SELECT id, due_key, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND due_key < '9999' AND (due_key, id) > (:after_key, :after_id)
ORDER BY due_key, id LIMIT :limit;

-- name: list_{variant}_undated
SELECT id, due_key, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND due_key = '9999' AND id > :after_id
ORDER BY id LIMIT :limit;

-- name: list_{variant}_urgent
SELECT id, due_key, urgency, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND urgency < 3
  AND (urgency, due_key, id) > (:after_urgency, :after_key, :after_id)
ORDER BY urgency, due_key, id LIMIT :limit;

-- name: list_{variant}_dated_only
SELECT id, due_key, urgency, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND urgency = 3 AND due_key < '9999'
  AND (due_key, id) > (:after_key, :after_id)
ORDER BY due_key, id LIMIT :limit;

-- name: list_{variant}_neither
SELECT id, due_key, urgency, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND urgency = 3 AND due_key = '9999' AND id > :after_id
ORDER BY id LIMIT :limit;

-- name: list_{variant}_updated
SELECT id, updated_at, {shown} FROM todos
WHERE user_id = :user_id AND {condition} AND (updated_at, id) < (:after_key, :after_id)
ORDER BY updated_at DESC, id DESC LIMIT :limit;

-- The to-dos of a bulk change.
-- name: matching_{variant}
SELECT id, todo FROM todos
WHERE user_id = :user_id AND {condition}
ORDER BY id LIMIT :limit;

-- name: total_{variant}^
SELECT COUNT(*) AS total FROM todos
WHERE user_id = :user_id AND {condition};
