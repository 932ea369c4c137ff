"""Accounts, authentication, and the assistants that people have connected."""
