"""A flood of good, huge, broken and hostile photos against the services at their memory limits."""
