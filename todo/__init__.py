"""The service: the domain rules, and everything that serves them."""
