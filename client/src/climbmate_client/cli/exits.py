"""Errors as one line on standard error and an exit code."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from climbmate_client.errors import ClimbmateError, NotClimbmate, RefusedError, Unreachable
from climbmate_client.local import StartFailed

_INTERRUPTED = 130


class _Refused(click.ClickException):
    exit_code = 1


class _NoGateway(click.ClickException):
    exit_code = 3


def interrupt_on_signals() -> None:
    """Let SIGTERM and SIGHUP interrupt as Ctrl-C does, so that local services are stopped.

    Ctrl-C itself is ignored by Python where a shell started the command in the background.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the client raises into a line and an exit code; an interrupt ends without a word."""
    try:
        yield
    except (Unreachable, NotClimbmate, StartFailed) as error:
        raise _NoGateway(str(error)) from None
    except RefusedError as error:
        raise _Refused(_refusal(error)) from None
    except ClimbmateError as error:
        raise _Refused(str(error)) from None
    except OSError as error:
        raise _Refused(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(_INTERRUPTED) from None


def _refusal(error: RefusedError) -> str:
    again = "" if error.retry_after_s is None else f" Try again in {error.retry_after_s:g} s."
    request = f" (request {error.request_id})" if error.request_id else ""
    return f"{error.code}: {error.message}{again}{request}"
