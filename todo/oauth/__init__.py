"""The authorization server: OAuth 2.1 on Authlib, one module per endpoint."""
