"""`climbmate up`: the three services in the foreground, until Ctrl-C."""

import threading

import click

from climbmate_client import settings
from climbmate_client.cli.exits import explained
from climbmate_client.local import LocalStack
from climbmate_client.local.addresses import is_free
from climbmate_client.local.keep_running import keep_running

_GRPC_PORT = 50050


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="HTTP; 0 for a free one.")
@click.option("--grpc-port", type=click.IntRange(0, 65535), help="gRPC; by default 50050, or a free one.")
def up(port: int, grpc_port: int | None) -> None:
    """Run detector, colorizer and gateway until Ctrl-C, with one log.

    A service that ends by itself is started again. Ctrl-C, SIGTERM or SIGHUP stops all three within 10 seconds, with
    exit code 0; what they are working on is finished first. A third signal ends it at once.
    """
    if grpc_port is None:
        grpc_port = _GRPC_PORT if is_free(_GRPC_PORT) else 0
    own = {"GATEWAY_FEEDBACK_FILE": settings.feedback_file()}
    stack = LocalStack(port=port, grpc_port=grpc_port, own_settings=own, write_log=click.echo)
    with explained():
        try:
            with stack:
                stack.log.say(f"climbmate is ready at {click.style(stack.url, bold=True)}")
                stack.log.say(f"gRPC at {stack.grpc_target}; Ctrl-C stops all services")
                keep_running(stack, threading.Event())
        except KeyboardInterrupt:
            stack.log.say("all services are stopped")
