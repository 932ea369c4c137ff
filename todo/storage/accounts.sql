-- name: account_by_user^
SELECT users.username, accounts.* FROM accounts JOIN users ON users.id = accounts.user_id
WHERE accounts.user_id = :user_id;

-- name: insert_account!
INSERT INTO accounts (user_id, password_hash, email, created_at) VALUES (:user_id, :password_hash, :email, :now);

-- name: save_password!
UPDATE accounts SET password_hash = :password_hash WHERE user_id = :user_id;

-- name: save_email!
UPDATE accounts SET email = :email WHERE user_id = :user_id;

-- name: save_calendar!
UPDATE accounts SET calendar = :calendar WHERE user_id = :user_id;

-- name: user_by_calendar^
SELECT {user} FROM accounts JOIN users ON users.id = accounts.user_id
WHERE accounts.user_id = :user_id AND accounts.calendar = :calendar;

-- name: delete_account!
DELETE FROM accounts WHERE user_id = :user_id;

-- name: save_claim!
INSERT INTO claims (username, hash, expires_at) VALUES (:username, :hash, :expires_at)
ON CONFLICT (username) DO UPDATE SET hash = excluded.hash, expires_at = excluded.expires_at;

-- name: use_claim!
DELETE FROM claims WHERE username = :username AND hash = :hash AND expires_at > :now;

-- name: delete_claim!
DELETE FROM claims WHERE username = :username;
