"""Processors that this machine is not: what they lack is hidden from a process that then runs at full speed."""
