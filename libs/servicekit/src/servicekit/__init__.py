"""What every climbmate service needs, and nothing that needs arrays or models."""
