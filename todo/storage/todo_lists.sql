-- One statement for each order of list_todos. A page starts after the row that the cursor names, never at an OFFSET.

-- name: list_{which}_oldest
SELECT * FROM todos
WHERE user_id = :user_id AND {status} AND id > :after_id
  AND {filters}
ORDER BY id LIMIT :limit;

-- name: list_{which}_newest
SELECT * FROM todos
WHERE user_id = :user_id AND {status} AND id < :after_id
  AND {filters}
ORDER BY id DESC LIMIT :limit;

-- name: list_{which}_due
SELECT * FROM todos
WHERE user_id = :user_id AND {status} AND (due_key, id) > (:after_key, :after_id)
  AND {filters}
ORDER BY due_key, id LIMIT :limit;

-- name: list_{which}_priority
SELECT * FROM todos
WHERE user_id = :user_id AND {status} AND (urgency, due_key, id) > (:after_urgency, :after_key, :after_id)
  AND {filters}
ORDER BY urgency, due_key, id LIMIT :limit;

-- name: list_{which}_updated
SELECT * FROM todos
WHERE user_id = :user_id AND {status} AND (updated_at, id) < (:after_key, :after_id)
  AND {filters}
ORDER BY updated_at DESC, id DESC LIMIT :limit;

-- name: total_{which}^
SELECT COUNT(*) AS total FROM todos
WHERE user_id = :user_id AND {status}
  AND {filters};
