"""Benchmarks: the service against its peers, at scale, and where its time goes."""
