"""What `climbmate limits` does: finds the smallest memory limit that each service survives, and writes it down."""
