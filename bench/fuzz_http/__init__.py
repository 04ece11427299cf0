"""Hostile bytes against the gateway's HTTP port: `make fuzz-http`."""
