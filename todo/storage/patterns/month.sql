-- The first to-dos of each day, and how many a day has. Only ids and places are sorted.

-- name: first_of_days
SELECT todos.*, total FROM (
    SELECT id AS found_id, due_key AS found_key, total, place FROM (
        SELECT id, due_key,
               ROW_NUMBER() OVER (PARTITION BY SUBSTR(due_key, 1, 10) ORDER BY due_key, {place}, id) AS place,
               COUNT(*) OVER (PARTITION BY SUBSTR(due_key, 1, 10)) AS total
        FROM todos
        WHERE user_id = :user_id AND {dated} AND due_key >= :day AND due_key < :next_day AND {lists}
    ) AS placed WHERE place <= :most
) AS first JOIN todos ON todos.user_id = :user_id AND todos.id = first.found_id
ORDER BY found_key, first.place;
