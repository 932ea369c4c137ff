"""What tests, benchmarks and screenshots share; nothing of the service needs it."""
