"""Starts the gateway: `python -m gateway`."""

import functools
import sys

from servicekit.server import Service, run
from servicekit.settings import load

from gateway.assembly import NAME, REQUEST_COPIES, max_request_bytes, open_gateway
from gateway.settings import GatewaySettings


def main() -> int:
    """Run the gateway until SIGTERM; the exit code."""
    settings = load(GatewaySettings, prefix="GATEWAY_")
    return run(
        Service(
            name=NAME,
            settings=settings,
            listen=settings.gateway_grpc_listen,
            metrics_listen="",  # GATEWAY_LISTEN serves /metrics
            open=functools.partial(open_gateway, settings),
            max_request_bytes=max_request_bytes(settings),
            request_copies=REQUEST_COPIES,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
