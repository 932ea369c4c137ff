"""The domain rules: plain functions of a connection and values, independent of HTTP."""
