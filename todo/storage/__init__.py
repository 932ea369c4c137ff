"""Storage: database engines with two units of work, and the SQL statements."""
