"""Where the local services listen: private sockets between them, one TCP port for people."""

import socket
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


class PortUnusable(Exception):
    """A port is in use or may not be used; the text is one line for people."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Listen addresses as the services' settings want them: `host:port` or `unix:/path`."""

    http: str
    grpc: str
    detector: str
    colorizer: str

    def settings_of(self, service: str) -> dict[str, str]:
        """Give the settings by which a service listens and finds the others. Metrics get any free port."""
        return {
            "detector": {"DETECTOR_LISTEN": self.detector, "DETECTOR_METRICS_LISTEN": f"{LOOPBACK}:0"},
            "colorizer": {"COLORIZER_LISTEN": self.colorizer, "COLORIZER_METRICS_LISTEN": f"{LOOPBACK}:0"},
            "gateway": {
                "GATEWAY_LISTEN": self.http,
                "GATEWAY_GRPC_LISTEN": self.grpc,
                "GATEWAY_DETECTOR_TARGET": self.detector,
                "GATEWAY_COLORIZER_TARGET": self.colorizer,
            },
        }[service]


def choose(folder: Path, *, port: int, grpc_port: int | None) -> Addresses:
    """Choose where to listen.

    Args:
        folder: A private folder for the sockets; a short path, as a socket's path has at most 107 bytes.
        port: The HTTP port; 0 for a free one.
        grpc_port: The port of the gateway's gRPC face; None for a socket in `folder`.

    Raises:
        PortUnusable: A port is in use or may not be used.
    """
    return Addresses(
        http=f"{LOOPBACK}:{_usable(port)}",
        grpc=f"unix:{folder}/gateway.sock" if grpc_port is None else f"{LOOPBACK}:{_usable(grpc_port)}",
        detector=f"unix:{folder}/detector.sock",
        colorizer=f"unix:{folder}/colorizer.sock",
    )


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of the loopback address now."""
    try:
        _usable(port)
    except PortUnusable:
        return False
    return True


def _usable(port: int) -> int:
    """Check that a port is free, or find a free one for 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortUnusable(f"Port {port} cannot be used: {error.strerror}. Choose another one.") from None
        chosen: int = probe.getsockname()[1]
    return chosen
