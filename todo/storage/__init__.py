"""Storage: two units of work, and the SQL of each noun."""
