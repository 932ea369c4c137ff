-- name: count_attempt^
INSERT INTO attempts (bucket, key, count, until) VALUES (:bucket, :key, 1, :until)
ON CONFLICT (bucket, key) DO UPDATE
SET count = CASE WHEN attempts.until > :now THEN attempts.count + 1 ELSE 1 END,
    until = CASE WHEN attempts.until > :now THEN attempts.until ELSE excluded.until END
RETURNING count, until;

-- name: take_back_attempt!
UPDATE attempts SET count = count - 1 WHERE bucket = :bucket AND key = :key AND count > 0;

-- name: forget_attempts!
DELETE FROM attempts WHERE bucket = :bucket AND key = :key;

-- name: delete_old_attempts!
DELETE FROM attempts WHERE bucket = :bucket AND until <= :now;

-- name: count_attempts^
SELECT COUNT(*) AS total FROM attempts WHERE bucket = :bucket;

-- name: delete_soonest_attempts!
DELETE FROM attempts WHERE bucket = :bucket AND key IN (
  SELECT key FROM attempts WHERE bucket = :bucket ORDER BY until, key LIMIT :limit
);
