-- name: user_by_username^
SELECT * FROM users WHERE username = :username;

-- Opens the list on its first write; on every later one it locks the user's row, so that writes to one list queue up.
-- name: open_user^
INSERT INTO users (username, time_zone, time_zone_guessed, last_todo_id, last_change_id, todo_count, created_at)
VALUES (:username, :time_zone, :time_zone_guessed, 0, 0, 0, :now)
ON CONFLICT (username) DO UPDATE SET username = excluded.username
RETURNING *;

-- name: lock_user^
UPDATE users SET username = username WHERE username = :username RETURNING *;

-- name: save_counters!
UPDATE users SET last_todo_id = :last_todo_id, last_change_id = :last_change_id, todo_count = :todo_count
WHERE id = :user_id;

-- name: save_time_zone!
UPDATE users SET time_zone = :time_zone, time_zone_guessed = :time_zone_guessed WHERE id = :user_id;

-- name: delete_user!
DELETE FROM users WHERE id = :user_id;

-- name: database_answers^
SELECT 1 AS answer;

-- name: database_revision^
SELECT version_num FROM alembic_version;
