-- The sections of the page /list and of the trash, each with its own condition and order. A page starts after the
-- cursor's row. A to-do due on a date without a time is overdue from the next day on.

-- name: section_{section}
SELECT * FROM todos
WHERE user_id = :user_id AND {condition} AND {after}
  AND {words} AND tag_keys LIKE :tag_pattern ESCAPE '!' AND {lists}
ORDER BY {order} LIMIT :limit;

-- name: total_of_{section}^
SELECT COUNT(*) AS total FROM todos
WHERE user_id = :user_id AND {condition}
  AND {words} AND tag_keys LIKE :tag_pattern ESCAPE '!' AND {lists};
