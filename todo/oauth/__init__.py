"""The authorization server: OAuth 2.1 on Authlib's core, one module for the rules of each endpoint."""
