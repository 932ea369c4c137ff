"""The peers in the comparison, one per file. They take address and key from the environment, as the service does."""
