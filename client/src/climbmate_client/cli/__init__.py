"""The command `climbmate`.

Exit codes: 0 it worked (also when `up` or `monitor` was ended by Ctrl-C), 1 the photo was refused or could not be
analyzed, 2 the command line is wrong, 3 no gateway can be reached or the local services do not start, 130 interrupted.
"""

import click

from climbmate_client.cli.analyze import analyze
from climbmate_client.cli.limits import limits
from climbmate_client.cli.monitor import monitor
from climbmate_client.cli.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="climbmate-client", prog_name="climbmate")
def main() -> None:
    """Find the holds, their colors and the boulder problems in photos of climbing walls."""


main.add_command(analyze)
main.add_command(limits)
main.add_command(monitor)
main.add_command(up)
