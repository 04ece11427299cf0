"""Errors as one line on standard error and an exit code."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from climbmate_command import INTERRUPTED

from climbmate_client.errors import ClimbmateError, NotClimbmate, RefusedError, Unreachable
from climbmate_client.local import StartFailed
from climbmate_client.printable import printable, printable_lines


class _Refused(click.ClickException):
    exit_code = 1


class _NoGateway(click.ClickException):
    exit_code = 3


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the client raises into a line and an exit code; an interrupt ends without a word."""
    try:
        yield
    except (Unreachable, NotClimbmate, StartFailed) as error:
        raise _NoGateway(printable_lines(str(error))) from None
    except RefusedError as error:
        raise _Refused(printable(_refusal(error))) from None
    except ClimbmateError as error:
        raise _Refused(printable(str(error))) from None
    except OSError as error:
        if error.filename is None:  # the output is no file of ours
            raise
        raise _Refused(unreadable(error)) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None


def unreadable(error: OSError) -> str:
    """A file, and what is wrong with it."""
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
    return f"{printable(name)}: {error.strerror}"


def _refusal(error: RefusedError) -> str:
    again = "" if error.retry_after_s is None else f" Try again in {error.retry_after_s:g} s."
    request = f" (request {error.request_id})" if error.request_id else ""
    return f"{error.code}: {error.message}{again}{request}"
