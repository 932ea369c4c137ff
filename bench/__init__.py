"""How fast the service is, beside peers, at scale, and where its time goes."""
