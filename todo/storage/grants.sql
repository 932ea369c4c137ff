-- name: insert_grant!
INSERT INTO grants (user_id, id, client_id, client_name, scope, resource, created_at, last_used_at)
VALUES (:user_id, :id, :client_id, :client_name, :scope, :resource, :now, :now);

-- name: grant_by_id^
SELECT * FROM grants WHERE user_id = :user_id AND id = :id;

-- name: live_grants
SELECT * FROM grants
WHERE user_id = :user_id AND EXISTS (
  SELECT 1 FROM tokens
  WHERE tokens.user_id = grants.user_id AND tokens.grant_id = grants.id AND tokens.expires_at > :now
)
ORDER BY last_used_at DESC, id;

-- name: grants_of_user
SELECT id, client_name, created_at FROM grants WHERE user_id = :user_id ORDER BY created_at, id;

-- name: note_use_of_grant!
UPDATE grants SET last_used_at = :now WHERE user_id = :user_id AND id = :id AND last_used_at < :now;

-- name: delete_grant!
DELETE FROM grants WHERE user_id = :user_id AND id = :id;

-- name: delete_dead_grants!
DELETE FROM grants
WHERE user_id = :user_id AND NOT EXISTS (
  SELECT 1 FROM tokens WHERE tokens.user_id = grants.user_id AND tokens.grant_id = grants.id
);

-- name: surplus_grants
SELECT id FROM grants WHERE user_id = :user_id ORDER BY last_used_at DESC, id LIMIT :limit OFFSET :kept;

-- name: delete_grants_of_user!
DELETE FROM grants WHERE user_id = :user_id;
