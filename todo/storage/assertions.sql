-- name: use_assertion^
INSERT INTO assertions (bucket, hash, expires_at) VALUES (:bucket, :hash, :expires_at)
ON CONFLICT (bucket, hash) DO NOTHING
RETURNING hash;

-- name: delete_old_assertions!
DELETE FROM assertions WHERE bucket = :bucket AND expires_at <= :now;

-- name: count_assertions^
SELECT COUNT(*) AS total FROM assertions WHERE bucket = :bucket;

-- name: delete_soonest_assertions!
DELETE FROM assertions WHERE bucket = :bucket AND hash IN (
  SELECT hash FROM assertions WHERE bucket = :bucket ORDER BY expires_at, hash LIMIT :limit
);
