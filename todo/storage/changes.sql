-- name: insert_change!
INSERT INTO changes (user_id, id, at, actor, client, grant_id, summary, undoes, fingerprint)
VALUES (:user_id, :id, :at, :actor, :client, :grant_id, :summary, :undoes, :fingerprint);

-- name: insert_entry!
INSERT INTO entries (user_id, change_id, todo_id, action, before, after)
VALUES (:user_id, :change_id, :todo_id, :action, :before, :after);

-- name: change_by_id^
SELECT * FROM changes WHERE user_id = :user_id AND id = :id;

-- name: entries_of_change
SELECT * FROM entries WHERE user_id = :user_id AND change_id = :change_id ORDER BY todo_id;

-- name: first_entries_of_change
SELECT * FROM entries WHERE user_id = :user_id AND change_id = :change_id ORDER BY todo_id LIMIT :limit;

-- name: count_entries_of_change^
SELECT COUNT(*) AS total FROM entries WHERE user_id = :user_id AND change_id = :change_id;

-- name: entry_of_change^
SELECT * FROM entries WHERE user_id = :user_id AND change_id = :change_id AND todo_id = :todo_id;

-- name: newest_change_of^
SELECT MAX(change_id) AS change_id FROM entries WHERE user_id = :user_id AND todo_id = :todo_id;

-- name: changes_before
SELECT * FROM changes
WHERE user_id = :user_id AND id < :before_id AND at >= :from_time AND at < :to_time AND actor LIKE :actor_pattern
  AND (client = :client OR client LIKE :client_pattern ESCAPE '!')
ORDER BY id DESC LIMIT :limit;

-- name: recent_actors
SELECT DISTINCT actor, client FROM
  (SELECT actor, client FROM changes WHERE user_id = :user_id ORDER BY id DESC LIMIT :limit) AS recent
ORDER BY actor, client;

-- name: twin_of^
SELECT id FROM changes
WHERE user_id = :user_id AND fingerprint = :fingerprint AND at >= :since
ORDER BY at DESC, id DESC LIMIT 1;

-- name: changes_of_grant
SELECT at, summary FROM changes WHERE user_id = :user_id AND grant_id = :grant_id ORDER BY id DESC LIMIT :limit;

-- name: all_changes
SELECT * FROM changes WHERE user_id = :user_id ORDER BY id;

-- name: remove_entries_of_todo!
DELETE FROM entries WHERE user_id = :user_id AND todo_id = :todo_id;

-- name: all_entries
SELECT * FROM entries WHERE user_id = :user_id ORDER BY change_id, todo_id;

-- name: answer_to^
SELECT * FROM answers WHERE user_id = :user_id AND request_id = :request_id AND expires_at > :now;

-- name: keep_answer!
INSERT INTO answers (user_id, request_id, fingerprint, answer, expires_at)
VALUES (:user_id, :request_id, :fingerprint, :answer, :expires_at)
ON CONFLICT (user_id, request_id) DO UPDATE
SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires_at = excluded.expires_at;

-- name: remove_expired_answers!
DELETE FROM answers WHERE user_id = :user_id AND expires_at <= :now;

-- name: delete_changes_of_user!
DELETE FROM changes WHERE user_id = :user_id;

-- name: delete_entries_of_user!
DELETE FROM entries WHERE user_id = :user_id;

-- name: delete_answers_of_user!
DELETE FROM answers WHERE user_id = :user_id;
