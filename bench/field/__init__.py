"""Files, connections, calls and commands that broke something once in the field, and others of their kinds."""
