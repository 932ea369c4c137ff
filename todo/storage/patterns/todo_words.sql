search_text LIKE :word_1 ESCAPE '!'
AND (
  :one_word
  OR search_text LIKE :word_2 ESCAPE '!'
  AND search_text LIKE :word_3 ESCAPE '!'
  AND search_text LIKE :word_4 ESCAPE '!'
  AND search_text LIKE :word_5 ESCAPE '!'
  AND search_text LIKE :word_6 ESCAPE '!'
  AND search_text LIKE :word_7 ESCAPE '!'
  AND search_text LIKE :word_8 ESCAPE '!'
  AND search_text LIKE :word_9 ESCAPE '!'
  AND search_text LIKE :word_10 ESCAPE '!'
)
