-- name: count_attempt^
INSERT INTO attempts (key, count, until) VALUES (:key, 1, :until)
ON CONFLICT (key) DO UPDATE
SET count = CASE WHEN attempts.until > :now THEN attempts.count + 1 ELSE 1 END,
    until = CASE WHEN attempts.until > :now THEN attempts.until ELSE excluded.until END
RETURNING count, until;

-- name: take_back_attempt!
UPDATE attempts SET count = count - 1 WHERE key = :key AND count > 0;

-- name: forget_attempts!
DELETE FROM attempts WHERE key = :key;

-- name: delete_old_attempts!
DELETE FROM attempts WHERE until <= :now;

-- name: count_attempts^
SELECT COUNT(*) AS total FROM attempts;

-- name: delete_soonest_attempts!
DELETE FROM attempts WHERE key IN (SELECT key FROM attempts ORDER BY until, key LIMIT :limit);
