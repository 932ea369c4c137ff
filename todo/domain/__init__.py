"""The rules: plain functions of a connection and values, which know nothing of HTTP."""
