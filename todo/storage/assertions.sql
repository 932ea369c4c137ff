-- name: use_assertion^
INSERT INTO assertions (hash, expires_at) VALUES (:hash, :expires_at)
ON CONFLICT (hash) DO NOTHING
RETURNING hash;

-- name: delete_old_assertions!
DELETE FROM assertions WHERE expires_at <= :now;

-- name: count_assertions^
SELECT COUNT(*) AS total FROM assertions;

-- name: delete_soonest_assertions!
DELETE FROM assertions WHERE hash IN (SELECT hash FROM assertions ORDER BY expires_at, hash LIMIT :limit);
