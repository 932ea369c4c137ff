"""Accounts: who people are, how they prove it, and which assistants they have connected."""
