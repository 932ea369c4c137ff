-- Addresses without their owner's id, as they were up to 1.0.0; only the migration adds any.

-- name: owner_of_old_address^
SELECT user_id FROM old_addresses WHERE address = :address;

-- name: old_addresses_of_user
SELECT address FROM old_addresses_of_users WHERE user_id = :user_id;

-- name: delete_old_address!
DELETE FROM old_addresses WHERE address = :address;

-- name: delete_old_addresses_of_user!
DELETE FROM old_addresses_of_users WHERE user_id = :user_id;
