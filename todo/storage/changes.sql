-- One row for each record that a change touched. The first (overflow = 0) also says who, when and what; the others
-- (overflow = 1) are kept apart by the key, so that a page of changes need not skip them. A row of kind '' has no
-- entry. If there are others, the first also has the change's kinds of action in `actions`, such as ' add complete '.
-- After an undo, the first has the id of that change in `undone_by`.

-- name: insert_change!
INSERT INTO changes (user_id, overflow, id, kind, record_id, at, actor, client, grant_id, summary, undoes, actions, action,
                     before, after, previous, bytes)
VALUES (:user_id, 0, :id, :kind, :record_id, :at, :actor, :client, :grant_id, :summary, :undoes, :actions, :action,
        :before, :after, :previous, :bytes);

-- name: insert_overflow*!
INSERT INTO changes (user_id, overflow, id, kind, record_id, action, before, after, previous, bytes)
VALUES (:user_id, 1, :id, :kind, :record_id, :action, :before, :after, :previous, :bytes);

-- name: change_by_id^
SELECT * FROM changes WHERE user_id = :user_id AND overflow = 0 AND id = :id;

-- name: entries_of_change
SELECT * FROM changes WHERE user_id = :user_id AND overflow IN (0, 1) AND id = :change_id AND kind <> ''
ORDER BY overflow, kind, record_id;

-- name: first_entries_of_change
SELECT * FROM changes WHERE user_id = :user_id AND overflow IN (0, 1) AND id = :change_id AND kind <> ''
ORDER BY overflow, kind, record_id LIMIT :limit;

-- name: count_entries_of_change^
SELECT COUNT(*) AS total FROM changes
WHERE user_id = :user_id AND overflow IN (0, 1) AND id = :change_id AND kind <> '';

-- name: entry_of^
SELECT * FROM changes
WHERE user_id = :user_id AND overflow IN (0, 1) AND id = :change_id AND kind = :kind AND record_id = :record_id;

-- name: changes_before
SELECT * FROM changes
WHERE user_id = :user_id AND overflow = 0 AND id < :before_id AND at >= :from_time AND at < :to_time
  AND actor LIKE :actor_pattern AND (client = :client OR client LIKE :client_pattern ESCAPE '!')
  AND (:any_grant OR COALESCE(grant_id, '') = :grant_id)
  AND (:any_action OR action = :action OR actions LIKE :actions_pattern)
ORDER BY id DESC LIMIT :limit;

-- name: changes_lately
SELECT * FROM changes
WHERE user_id = :user_id AND overflow = 0 AND id > :after_id AND at >= :since AND actor = :actor ORDER BY id;

-- name: changes_between
SELECT * FROM changes
WHERE user_id = :user_id AND overflow = 0 AND id >= :since_id AND id <= :until_id
  AND actor LIKE :actor_pattern AND (client = :client OR client LIKE :client_pattern ESCAPE '!')
  AND (:any_grant OR COALESCE(grant_id, '') = :grant_id)
ORDER BY id DESC LIMIT :limit;

-- name: changes_from
SELECT * FROM changes
WHERE user_id = :user_id AND overflow = 0 AND id >= :since_id
  AND actor LIKE :actor_pattern AND (client = :client OR client LIKE :client_pattern ESCAPE '!')
  AND (:any_grant OR COALESCE(grant_id, '') = :grant_id)
ORDER BY id LIMIT :limit;

-- name: changes_of_time
SELECT id, at, actor, client, grant_id, kind, action, actions, undone_by FROM changes
WHERE user_id = :user_id AND overflow = 0 AND id >= :since_id AND at >= :from_time AND at < :to_time
ORDER BY id DESC LIMIT :limit;

-- name: overflow_between
SELECT id, kind, action, COUNT(*) AS total FROM (
  SELECT id, kind, action FROM changes
  WHERE user_id = :user_id AND overflow = 1 AND id >= :since_id AND id <= :until_id ORDER BY id DESC LIMIT :limit
) AS entries
GROUP BY id, kind, action;

-- name: undos_among
SELECT id, undoes, undone_by FROM changes WHERE user_id = :user_id AND overflow = 0 AND id IN ({ids});

-- name: note_undo*!
UPDATE changes SET undone_by = :undone_by WHERE user_id = :user_id AND overflow = 0 AND id = :id;

-- name: first_change_since^
SELECT MIN(id) AS id FROM changes WHERE user_id = :user_id AND overflow = 0 AND at >= :since;

-- name: last_change_before^
SELECT MAX(id) AS id FROM changes WHERE user_id = :user_id AND overflow = 0 AND at < :before;

-- name: changes_until
SELECT id FROM changes WHERE user_id = :user_id AND overflow = 0 AND id <= :until_id ORDER BY id LIMIT :limit;

-- name: clear_changes
DELETE FROM changes WHERE user_id = :user_id AND overflow IN (0, 1) AND id <= :until_id RETURNING bytes;

-- name: changes_of_grant
SELECT at, summary FROM
  (SELECT * FROM changes WHERE user_id = :user_id AND overflow = 0 ORDER BY id DESC LIMIT :searched) AS recent
WHERE grant_id = :grant_id ORDER BY id DESC LIMIT :limit;

-- name: all_changes
SELECT * FROM changes WHERE user_id = :user_id ORDER BY id, overflow, kind, record_id;

-- name: remove_overflow!
DELETE FROM changes
WHERE user_id = :user_id AND overflow = 1 AND id = :change_id AND kind = :kind AND record_id = :record_id;

-- name: empty_entry!
UPDATE changes SET kind = '', record_id = 0, action = NULL, before = NULL, after = NULL, bytes = :bytes
WHERE user_id = :user_id AND overflow = 0 AND id = :change_id AND kind = :kind AND record_id = :record_id;

-- name: answer_to^
SELECT * FROM answers WHERE user_id = :user_id AND request_id = :request_id;

-- name: keep_answer!
INSERT INTO answers (user_id, request_id, fingerprint, answer, expires_at, bytes)
VALUES (:user_id, :request_id, :fingerprint, :answer, :expires_at, :bytes);

-- name: remove_answer
DELETE FROM answers WHERE user_id = :user_id AND request_id = :request_id RETURNING bytes;

-- name: remove_expired_answers
DELETE FROM answers WHERE user_id = :user_id AND expires_at <= :now RETURNING bytes;

-- name: remove_oldest_answers
DELETE FROM answers
WHERE user_id = :user_id AND request_id IN (
  SELECT request_id FROM answers WHERE user_id = :user_id ORDER BY expires_at, request_id LIMIT :limit
)
RETURNING bytes;

-- name: all_answers
SELECT * FROM answers WHERE user_id = :user_id ORDER BY request_id;

-- name: full_answers
SELECT request_id, bytes FROM answers WHERE user_id = :user_id AND answer <> '' LIMIT :limit;

-- name: empty_answer!
UPDATE answers SET answer = '', bytes = :bytes WHERE user_id = :user_id AND request_id = :request_id;

-- name: delete_changes_of_user!
DELETE FROM changes WHERE user_id = :user_id;

-- name: delete_answers_of_user!
DELETE FROM answers WHERE user_id = :user_id;
