"""Client of climbmate: send photos of climbing walls, get holds, colors and problems."""
