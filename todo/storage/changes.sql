-- name: insert_change!
INSERT INTO changes (user_id, id, at, actor, client, grant_id, summary, undoes, fingerprint)
VALUES (:user_id, :id, :at, :actor, :client, :grant_id, :summary, :undoes, :fingerprint);

-- name: insert_entries*!
INSERT INTO entries (user_id, change_id, todo_id, action, before, after, bytes)
VALUES (:user_id, :change_id, :todo_id, :action, :before, :after, :bytes);

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

-- name: changes_between
SELECT * FROM changes
WHERE user_id = :user_id AND id >= :since_id AND id <= :until_id AND actor LIKE :actor_pattern
  AND (client = :client OR client LIKE :client_pattern ESCAPE '!')
ORDER BY id DESC LIMIT :limit;

-- name: first_change_since^
SELECT MIN(id) AS id FROM changes WHERE user_id = :user_id AND at >= :since;

-- name: last_change_before^
SELECT MAX(id) AS id FROM changes WHERE user_id = :user_id AND at < :before;

-- name: changes_until
SELECT id FROM changes WHERE user_id = :user_id AND id <= :until_id ORDER BY id LIMIT :limit;

-- name: clear_entries
DELETE FROM entries WHERE user_id = :user_id AND change_id <= :until_id RETURNING bytes;

-- name: clear_changes!
DELETE FROM changes WHERE user_id = :user_id AND id <= :until_id;

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

-- name: remove_entries_of_todo
DELETE FROM entries WHERE user_id = :user_id AND todo_id = :todo_id RETURNING bytes;

-- To-dos that an undo has removed and only the log still contains.
-- name: ids_of_removed
SELECT todo_id FROM (SELECT DISTINCT todo_id FROM entries WHERE user_id = :user_id AND todo_id > 0) AS logged
WHERE NOT EXISTS (SELECT 1 FROM todos WHERE user_id = :user_id AND id = todo_id)
LIMIT :limit;

-- name: all_entries
SELECT * FROM entries WHERE user_id = :user_id ORDER BY change_id, todo_id;

-- name: answer_to^
SELECT * FROM answers WHERE user_id = :user_id AND request_id = :request_id;

-- name: keep_answer!
INSERT INTO answers (user_id, request_id, fingerprint, answer, expires_at, bytes)
VALUES (:user_id, :request_id, :fingerprint, :answer, :expires_at, :bytes);

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

-- name: delete_entries_of_user!
DELETE FROM entries WHERE user_id = :user_id;

-- name: delete_answers_of_user!
DELETE FROM answers WHERE user_id = :user_id;
