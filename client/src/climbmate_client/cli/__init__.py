"""The command `climbmate`."""

import contextlib
import os
import sys

import click

from climbmate_client.cli.analyze import analyze
from climbmate_client.cli.limits import limits
from climbmate_client.cli.monitor import monitor
from climbmate_client.cli.up import up

EXIT_CODES = """\b
Exit codes:
  0    it worked; also when `up` or `monitor` was ended by a signal
  1    the photo was refused or could not be analyzed, or a file or the output
       could not be written
  2    the command line is wrong, or the photo is not there
  3    no gateway answers, or the local services do not start
  130  `analyze` or `limits` was ended by a signal, or any command by a third one
       or while it was loaded"""


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="climbmate-client", prog_name="climbmate")
def climbmate() -> None:
    """Find the holds, their colors and the boulder problems in photos of climbing walls."""


climbmate.add_command(analyze)
climbmate.add_command(limits)
climbmate.add_command(monitor)
climbmate.add_command(up)


def run() -> int:
    """Run the command line; give its exit code. What is wrong is one line on standard error."""
    _occupy_closed_streams()
    if sys.stdout is None:
        return _failed("standard output is closed")
    with contextlib.suppress(AttributeError):  # not a text stream, in a test of somebody's
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = climbmate.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    except BrokenPipeError:  # whoever read the output has seen enough
        code = _drop_output()
    except OSError as error:
        _drop_output()
        code = _failed(f"standard output: {error.strerror}")
    return code if isinstance(code, int) else 0


def _occupy_closed_streams() -> None:
    """Let no file or connection that is opened later take the place of a standard stream that is closed."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(opened)


def _failed(what: str) -> int:
    with contextlib.suppress(OSError):
        click.echo(f"Error: {what}", err=True)
    return 1


def _drop_output() -> int:
    """Let Python's last look at standard output find nothing wrong."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return 1
