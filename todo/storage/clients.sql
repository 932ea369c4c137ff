-- name: client_by_id^
SELECT * FROM clients WHERE id = :id;

-- name: save_client!
INSERT INTO clients (
  id, kind, name, secret_hash, redirect_uris, auth_methods, jwks, jwks_uri, created_at, expires_at
)
VALUES (
  :id, :kind, :name, :secret_hash, :redirect_uris, :auth_methods, :jwks, :jwks_uri, :now, :expires_at
)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, redirect_uris = excluded.redirect_uris, auth_methods = excluded.auth_methods,
    jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, expires_at = excluded.expires_at;

-- name: keep_client!
UPDATE clients SET expires_at = NULL WHERE id = :id AND kind = 'registered' AND expires_at IS NOT NULL;

-- A client without other grants is unused again once this grant ends, or this user is deleted.
-- name: release_client!
UPDATE clients SET expires_at = :expires_at
WHERE kind = 'registered' AND expires_at IS NULL
  AND id IN (SELECT client_id FROM grants WHERE user_id = :user_id AND id = :grant_id)
  AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.client_id = clients.id AND grants.id <> :grant_id);

-- name: release_clients_of_user!
UPDATE clients SET expires_at = :expires_at
WHERE kind = 'registered' AND expires_at IS NULL
  AND id IN (SELECT client_id FROM grants WHERE user_id = :user_id)
  AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.client_id = clients.id AND grants.user_id <> :user_id);

-- name: grant_of_client^
SELECT id FROM grants WHERE client_id = :client_id LIMIT 1;

-- Nearly all of these are unused; metadata documents of clients in use expire too, to be fetched again.
-- name: count_expiring_clients^
SELECT COUNT(*) AS total FROM clients WHERE expires_at IS NOT NULL;

-- Deletes surplus unused clients, keeping those that expire last.
-- name: delete_most_unused_clients!
DELETE FROM clients WHERE id IN (
  SELECT id FROM clients
  WHERE expires_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.client_id = clients.id)
  ORDER BY expires_at DESC LIMIT 1000 OFFSET :kept
);

-- Expired clients without grants, whether they never had one or have none left.
-- name: delete_unused_clients!
DELETE FROM clients WHERE expires_at <= :now AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.client_id = clients.id);
