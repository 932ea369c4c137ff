-- name: insert_session!
INSERT INTO sessions (user_id, hash, expires_at) VALUES (:user_id, :hash, :expires_at);

-- name: session_by_hash^
SELECT user_id FROM sessions WHERE user_id = :user_id AND hash = :hash;

-- name: account_of_session^
SELECT users.username, accounts.* FROM sessions
JOIN users ON users.id = sessions.user_id
JOIN accounts ON accounts.user_id = sessions.user_id
WHERE sessions.user_id = :user_id AND sessions.hash = :hash AND sessions.expires_at > :now;

-- name: list_of_session^
SELECT users.id, users.last_change_id FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.user_id = :user_id AND sessions.hash = :hash AND sessions.expires_at > :now;

-- name: delete_session!
DELETE FROM sessions WHERE user_id = :user_id AND hash = :hash;

-- Deletes expired sessions, and all others except the given number of those that expire last.
-- name: delete_oldest_sessions!
DELETE FROM sessions
WHERE user_id = :user_id AND hash NOT IN (
  SELECT hash FROM sessions WHERE user_id = :user_id AND expires_at > :now ORDER BY expires_at DESC, hash LIMIT :kept
);

-- name: delete_sessions_of_user!
DELETE FROM sessions WHERE user_id = :user_id;
