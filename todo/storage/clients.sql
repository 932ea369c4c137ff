-- name: client_by_id^
SELECT * FROM clients WHERE bucket = :bucket AND id = :id;

-- When a document is fetched again, the later of the two expiry times is kept.
-- name: save_client!
INSERT INTO clients (
  bucket, id, kind, name, secret_hash, redirect_uris, auth_methods, jwks, jwks_uri, created_at, expires_at, fresh_until
)
VALUES (
  :bucket, :id, :kind, :name, :secret_hash, :redirect_uris, :auth_methods, :jwks, :jwks_uri, :now, :expires_at,
  :fresh_until
)
ON CONFLICT (bucket, id) DO UPDATE
SET name = excluded.name, redirect_uris = excluded.redirect_uris, auth_methods = excluded.auth_methods,
    jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, fresh_until = excluded.fresh_until,
    expires_at = CASE WHEN clients.expires_at > excluded.expires_at THEN clients.expires_at ELSE excluded.expires_at END;

-- name: keep_client!
UPDATE clients SET expires_at = :expires_at WHERE bucket = :bucket AND id = :id AND expires_at < :expires_at;

-- name: delete_expired_clients!
DELETE FROM clients WHERE bucket = :bucket AND expires_at <= :now;

-- name: count_unused_clients^
SELECT COUNT(*) AS total FROM clients WHERE bucket = :bucket AND expires_at <= :unused_until;

-- Deletes surplus unused clients, except those that expire last and any that has just come into use.
-- name: delete_most_unused_clients!
DELETE FROM clients WHERE bucket = :bucket AND id IN (
  SELECT id FROM clients WHERE bucket = :bucket AND expires_at <= :unused_until
  ORDER BY expires_at DESC LIMIT 1000 OFFSET :kept
) AND expires_at <= :unused_until;
