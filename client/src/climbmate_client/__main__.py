"""`python -m climbmate_client` is the command `climbmate`."""

from climbmate_client.cli import main

main()
