"""The product: the rules, and the parts that serve them."""
