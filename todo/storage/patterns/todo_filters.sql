due_key >= :due_from
  AND due_key <= :due_to
  AND due_key <> :due_except
  -- One condition: with many, SQLite expects few rows, and sorts them instead of using the index.
  AND CASE WHEN (status = 'open' OR due_key >= :closed_from)
    AND urgency >= :urgency_from
    AND urgency <= :urgency_to
    AND (:done_at_any_time OR done_at >= :done_from AND done_at < :done_before)
    AND {lists}
    AND tag_keys LIKE :tag_pattern ESCAPE '!'
    AND {words}
  THEN TRUE ELSE FALSE END
