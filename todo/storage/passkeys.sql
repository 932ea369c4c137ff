-- name: passkeys_of_user
SELECT id, name, created_at, last_used_at FROM passkeys WHERE user_id = :user_id ORDER BY created_at, id;

-- name: passkey_by_id^
SELECT public_key, sign_count FROM passkeys WHERE user_id = :user_id AND id = :id;

-- name: insert_passkey!
INSERT INTO passkeys (user_id, id, name, public_key, sign_count, created_at)
VALUES (:user_id, :id, :name, :public_key, :sign_count, :now)
ON CONFLICT (user_id, id) DO UPDATE SET name = excluded.name;

-- The counter of an authenticator only increases, or is always 0.
-- name: note_use_of_passkey^
UPDATE passkeys SET sign_count = :sign_count, last_used_at = :now
WHERE user_id = :user_id AND id = :id AND (sign_count < :sign_count OR sign_count = 0)
RETURNING id;

-- name: delete_passkey!
DELETE FROM passkeys WHERE user_id = :user_id AND id = :id;

-- name: delete_passkeys_of_user!
DELETE FROM passkeys WHERE user_id = :user_id;
