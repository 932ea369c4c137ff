-- name: insert_code!
INSERT INTO codes (user_id, hash, client_id, redirect_uri, scope, resource, challenge, expires_at)
VALUES (:user_id, :hash, :client_id, :redirect_uri, :scope, :resource, :challenge, :expires_at);

-- name: code_by_hash^
SELECT * FROM codes WHERE user_id = :user_id AND hash = :hash;

-- name: use_code!
UPDATE codes SET grant_id = :grant_id WHERE user_id = :user_id AND hash = :hash;

-- Used codes are kept for a while after they expire: replaying one revokes the tokens issued for it.
-- name: delete_old_codes!
DELETE FROM codes WHERE user_id = :user_id AND expires_at < :before;

-- name: delete_codes_of_user!
DELETE FROM codes WHERE user_id = :user_id;

-- name: insert_token!
INSERT INTO tokens (user_id, hash, grant_id, kind, scope, expires_at)
VALUES (:user_id, :hash, :grant_id, :kind, :scope, :expires_at);

-- name: access_token^
SELECT tokens.user_id, tokens.grant_id, tokens.scope, grants.resource, grants.client_name, grants.last_used_at,
       users.username
FROM tokens
JOIN grants ON grants.user_id = tokens.user_id AND grants.id = tokens.grant_id
JOIN users ON users.id = tokens.user_id
WHERE tokens.user_id = :user_id AND tokens.hash = :hash AND tokens.kind = 'access' AND tokens.expires_at > :now;

-- name: token_by_hash^
SELECT * FROM tokens WHERE user_id = :user_id AND hash = :hash;

-- name: use_token!
UPDATE tokens SET used_at = :now, successor = :successor WHERE user_id = :user_id AND hash = :hash;

-- Drops sealed successors: in this family once the next token is used, in any other once their time is up.
-- name: forget_successors!
UPDATE tokens SET successor = NULL
WHERE user_id = :user_id AND successor IS NOT NULL AND (grant_id = :grant_id OR used_at <= :before);

-- name: count_refreshes^
SELECT COUNT(*) AS total FROM tokens
WHERE user_id = :user_id AND grant_id = :grant_id AND kind = 'refresh' AND used_at > :since;

-- Deletes surplus tokens of a grant and kind, keeping those that expire last.
-- name: delete_surplus_tokens!
DELETE FROM tokens
WHERE user_id = :user_id AND grant_id = :grant_id AND kind = :kind AND hash NOT IN (
  SELECT hash FROM tokens WHERE user_id = :user_id AND grant_id = :grant_id AND kind = :kind
  ORDER BY expires_at DESC, hash LIMIT :kept
);

-- name: delete_token!
DELETE FROM tokens WHERE user_id = :user_id AND hash = :hash;

-- name: delete_expired_tokens!
DELETE FROM tokens WHERE user_id = :user_id AND expires_at <= :now;

-- name: delete_tokens_of_grant!
DELETE FROM tokens WHERE user_id = :user_id AND grant_id = :grant_id;

-- name: delete_tokens_of_user!
DELETE FROM tokens WHERE user_id = :user_id;
