-- The parts of the page /list and the trash, each by its own condition and in its own order; a page of one starts after
-- the row that the cursor names. A to-do that is due on a day is overdue when the day is over.

-- name: section_{section}
SELECT * FROM todos
WHERE user_id = :user_id AND {condition} AND {after}
  AND search_text LIKE :search_pattern ESCAPE '!' AND tag_keys LIKE :tag_pattern ESCAPE '!'
ORDER BY {order} LIMIT :limit;

-- name: total_of_{section}^
SELECT COUNT(*) AS total FROM todos
WHERE user_id = :user_id AND {condition}
  AND search_text LIKE :search_pattern ESCAPE '!' AND tag_keys LIKE :tag_pattern ESCAPE '!';
