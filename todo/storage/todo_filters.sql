search_text LIKE :search_pattern ESCAPE '!'
  AND tag_keys LIKE :tag_pattern ESCAPE '!'
  AND due_key >= :due_from
  AND due_key <= :due_to
  AND urgency >= :urgency_from
  AND urgency <= :urgency_to
  AND {lists}
