"""What `climbmate monitor` shows: looks at the services, and tables of what was seen."""
