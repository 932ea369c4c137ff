"""HTTP: limits, routing, validation, errors and the log."""
