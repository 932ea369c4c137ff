-- name: insert_challenge!
INSERT INTO challenges (bucket, hash, expires_at) VALUES (:bucket, :hash, :expires_at);

-- name: use_challenge^
DELETE FROM challenges WHERE bucket = :bucket AND hash = :hash AND expires_at > :now RETURNING hash;

-- name: delete_old_challenges!
DELETE FROM challenges WHERE bucket = :bucket AND expires_at <= :now;

-- name: count_challenges^
SELECT COUNT(*) AS total FROM challenges WHERE bucket = :bucket;

-- name: delete_soonest_challenges!
DELETE FROM challenges WHERE bucket = :bucket AND hash IN (
  SELECT hash FROM challenges WHERE bucket = :bucket ORDER BY expires_at, hash LIMIT :limit
);
