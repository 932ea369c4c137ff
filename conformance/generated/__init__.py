"""Clients that generators written by others make of the served contract, and a program for each that uses it."""
