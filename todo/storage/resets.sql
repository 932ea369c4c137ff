-- name: insert_reset!
INSERT INTO resets (user_id, hash, expires_at) VALUES (:user_id, :hash, :expires_at);

-- name: account_of_reset^
SELECT users.username, accounts.* FROM resets
JOIN users ON users.id = resets.user_id
JOIN accounts ON accounts.user_id = resets.user_id
WHERE resets.user_id = :user_id AND resets.hash = :hash AND resets.expires_at > :now;

-- Deletes expired links, and all others except the given number of those that expire last.
-- name: delete_oldest_resets!
DELETE FROM resets
WHERE user_id = :user_id AND hash NOT IN (
  SELECT hash FROM resets WHERE user_id = :user_id AND expires_at > :now ORDER BY expires_at DESC, hash LIMIT :kept
);

-- name: delete_resets_of_user!
DELETE FROM resets WHERE user_id = :user_id;
