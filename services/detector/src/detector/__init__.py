"""Finds holds in photos of climbing walls: one network, served over gRPC."""
