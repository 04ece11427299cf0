"""`python -m climbmate_client` is the command `climbmate`."""

from climbmate_command import main

main()
