"""Measurements of the running services; every figure in the docs comes from a command in here."""
