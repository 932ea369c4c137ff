-- name: user_id_of^
SELECT user_id FROM usernames WHERE username = :username;

-- Of two concurrent first writes, one gets the name and the other, having waited for it, gets no row.
-- name: take_username^
INSERT INTO usernames (username, user_id) VALUES (:username, :user_id)
ON CONFLICT (username) DO NOTHING
RETURNING user_id;

-- name: free_username!
DELETE FROM usernames WHERE username = :username AND user_id = :user_id;

-- name: open_user^
INSERT INTO users (id, username, time_zone, time_zone_guessed, last_todo_id, last_change_id, open_count, done_count,
                   deleted_count, swept_on, created_at)
VALUES (:user_id, :username, :time_zone, :time_zone_guessed, 0, 0, 0, 0, 0, '', :now)
RETURNING {user};

-- name: user_by_id^
SELECT {user} FROM users WHERE id = :user_id;

-- Concurrent writes to one list wait for this lock.
-- name: lock_user_by_id^
SELECT {user} FROM users WHERE id = :user_id {for_update};

-- name: save_counters!
UPDATE users
SET last_todo_id = :last_todo_id, last_change_id = :last_change_id, open_count = :open, done_count = :done,
    deleted_count = :deleted, swept_on = :swept_on, last_series = :last_series, recent_adds = :recent_adds,
    bytes = :bytes
WHERE id = :user_id;

-- name: add_bytes!
UPDATE users SET bytes = bytes + :bytes WHERE id = :user_id;

-- name: count_removed!
UPDATE users SET deleted_count = deleted_count - :removed, bytes = bytes - :bytes WHERE id = :user_id;

-- name: save_profile!
UPDATE users SET time_zone = :time_zone, time_zone_guessed = :time_zone_guessed, week_start = :week_start,
    profile_change_id = :change_id
WHERE id = :user_id;

-- name: delete_user!
DELETE FROM users WHERE id = :user_id;

-- name: database_answers^
SELECT 1 AS answer;

-- name: database_revision^
SELECT version_num FROM alembic_version;
