"""climbmate detector."""
