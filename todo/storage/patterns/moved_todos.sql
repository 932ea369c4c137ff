-- To-dos of a section that somebody has moved, in their order, from an index with only these.

-- name: section_{section}_moved
SELECT * FROM todos
WHERE user_id = :user_id AND {condition} AND position IS NOT NULL
  AND {after}
  AND {words} AND tag_keys LIKE :tag_pattern ESCAPE '!' AND {lists}
ORDER BY {order} LIMIT :limit;
