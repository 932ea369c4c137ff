-- name: live_lists
SELECT * FROM lists WHERE user_id = :user_id AND status <> 'removed' ORDER BY position, id;

-- Also a removed list.
-- name: list_by_id^
SELECT * FROM lists WHERE user_id = :user_id AND id = :id;

-- name: insert_lists*!
INSERT INTO lists (user_id, id, name, name_key, position, status, updated_at, change_id, bytes)
VALUES (:user_id, :id, :name, :name_key, :position, :status, :updated_at, :change_id, :bytes);

-- name: save_lists*!
UPDATE lists
SET name = :name, name_key = :name_key, position = :position, status = :status, updated_at = :updated_at,
    change_id = :change_id, bytes = :bytes
WHERE user_id = :user_id AND id = :id;

-- name: save_list_counters!
UPDATE users SET last_list_id = :last_list_id, archived_lists = :archived_lists WHERE id = :user_id;

-- Counts of open to-dos by list and set of tags, including archived lists. A to-do due on a date without a time is
-- overdue from the next day on.
-- name: count_open
SELECT list_id, tags, tag_keys, COUNT(*) AS open,
       SUM(CASE WHEN due_key < :now AND due_key <> :today THEN 1 ELSE 0 END) AS overdue
FROM todos WHERE user_id = :user_id AND status = 'open' GROUP BY list_id, tags, tag_keys;

-- name: count_open_by_list
SELECT list_id, COUNT(*) AS open, SUM(CASE WHEN due_key < :now AND due_key <> :today THEN 1 ELSE 0 END) AS overdue
FROM todos WHERE user_id = :user_id AND status = 'open' GROUP BY list_id;

-- name: count_archived_done^
SELECT COUNT(*) AS done FROM todos WHERE user_id = :user_id AND status = 'done' AND NOT ({unarchived});

-- name: todos_of_list
SELECT * FROM todos
WHERE user_id = :user_id AND list_id = :list_id AND status NOT IN ('deleted', 'removed') ORDER BY id;

-- name: removed_lists
SELECT id, change_id FROM lists
WHERE user_id = :user_id AND status = 'removed' AND change_id <= :until_id AND updated_at < :removed_before LIMIT :limit;

-- name: save_newest_change_of_list!
UPDATE lists SET change_id = :change_id WHERE user_id = :user_id AND id = :id;

-- name: remove_list^
DELETE FROM lists WHERE user_id = :user_id AND id = :id AND status = 'removed' RETURNING bytes;

-- name: delete_lists_of_user!
DELETE FROM lists WHERE user_id = :user_id;
