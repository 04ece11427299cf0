"""Thousands of analyses with a toy network, to see whether anything grows."""
