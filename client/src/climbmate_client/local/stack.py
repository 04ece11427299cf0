"""Detector, colorizer and gateway, started together and stopped together."""

import contextlib
import importlib.util
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import httpx

from climbmate_client import settings
from climbmate_client.errors import ClimbmateError
from climbmate_client.local import addresses
from climbmate_client.local.cgroup import MemoryCgroup
from climbmate_client.local.merged_log import MergedLog, readable
from climbmate_client.local.process import ServiceProcess

SERVICES = ("detector", "colorizer", "gateway")
STOP_LIMIT_S = 10.0
_DRAIN_LIMIT_S = 5.0  # leaves the model services time to end after the gateway
_POLL_S = 0.05


class StartFailed(ClimbmateError):
    """The local services did not come up; the text says which one, and shows the end of its log."""


ANEW = MappingProxyType({"GATEWAY_REMEMBER_S": "0"})
"""Settings with which every photo is computed, also one that was just answered: for all that measures or stresses."""


class LocalStack:
    """The three services on this machine: private Unix sockets between them, HTTP on a loopback port.

    Example:
        with LocalStack() as stack, Client(stack.url) as climbmate:
            analysis = climbmate.analyze("wall.jpg")

    Args:
        port: The HTTP port; 0 for a free one.
        grpc_port: The port of the gateway's gRPC face; None for a private socket.
        own_settings: Settings for the services, by variable name, for example `{"MAX_HOLDS": "80"}`.
        models_dir: The models; None to look for them (see `settings.models_dir`).
        write_log: Takes the lines of the merged log; None for no log.
        start_limit_s: How long the services may take until they are ready.
        memory_limits_bytes: Real memory limits by service name (see `MemoryCgroup`); services not named have none.
        service_settings: Settings for single services, by service name and variable name; `own_settings` win.

    Attributes:
        processes: The services by name; each can be stopped and started by itself.
        cgroups: What limits their memory, by service name.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        grpc_port: int | None = None,
        own_settings: Mapping[str, str] | None = None,
        models_dir: Path | None = None,
        write_log: Callable[[str], None] | None = None,
        start_limit_s: float = 60.0,
        memory_limits_bytes: Mapping[str, int] | None = None,
        service_settings: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._port = port
        self._grpc_port = grpc_port
        self._own_settings = dict(own_settings or {})
        self._models_dir = models_dir
        self._start_limit_s = start_limit_s
        self._folder: Path | None = None
        self._limits = dict(memory_limits_bytes or {})
        self._service_settings = {name: dict(own) for name, own in (service_settings or {}).items()}
        self._entered = contextlib.ExitStack()
        self.cgroups: dict[str, MemoryCgroup] = {}
        self.log = MergedLog(write_log or (lambda _line: None))
        self.processes: dict[str, ServiceProcess] = {}
        self.url = ""
        self.grpc_target = ""

    def start(self) -> None:
        """Start the services and wait until all are ready.

        Raises:
            StartFailed: They did not become ready; none is left running.
        """
        try:
            self._prepare()
            for process in self.processes.values():
                process.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def wait_ready(self, limit_s: float | None = None) -> None:
        """Wait until the gateway says that it and all behind it serve; what it knows may be a second old.

        Args:
            limit_s: How long to wait; None for the stack's `start_limit_s`.

        Raises:
            StartFailed: A service ended, or the time was not enough.
        """
        end_s = time.monotonic() + (self._start_limit_s if limit_s is None else limit_s)
        with httpx.Client(base_url=self.url, timeout=2.0, trust_env=False) as http:
            while not _ready(http):
                for process in self.processes.values():
                    if not process.running:
                        raise StartFailed(f"{process.name} {how_it_ended(process)}.{_tail(process)}")
                if time.monotonic() > end_s:
                    tails = "".join(map(_tail, self.processes.values()))
                    raise StartFailed(f"The services were not ready in time.{tails}")
                time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop the services within 10 s: the gateway first, so that what it works on can still be finished."""
        end_s = time.monotonic() + STOP_LIMIT_S
        try:
            for names in (("gateway",), ("detector", "colorizer")):
                self._stop(names, end_s)
        finally:
            for process in self.processes.values():
                process.kill()
            self._entered.close()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> None:
        """Choose addresses and describe the processes."""
        missing = [name for name in SERVICES if importlib.util.find_spec(name) is None]
        models_dir = self._models_dir or settings.models_dir()
        if missing:
            raise StartFailed(f"No {' and no '.join(missing)} is installed here. Name a running gateway with --url.")
        if models_dir is None:
            raise StartFailed("No models/manifest.toml is here or above. Set MODELS_DIR to the models' folder.")
        self._folder = Path(tempfile.mkdtemp(prefix="climbmate-"))
        try:
            chosen = addresses.choose(self._folder, port=self._port, grpc_port=self._grpc_port)
        except addresses.PortUnusable as error:
            raise StartFailed(str(error)) from None
        shared = {
            "MODELS_DIR": str(models_dir),
            "DRAIN_LIMIT_S": str(_DRAIN_LIMIT_S),
            "GATEWAY_FEEDBACK_FILE": str(self._folder / "feedback.db"),  # goes with the stack
        }
        self.url = f"http://{chosen.http}"
        self.grpc_target = chosen.grpc
        self.cgroups = {
            name: self._entered.enter_context(MemoryCgroup(name, limit_bytes))
            for name, limit_bytes in self._limits.items()
        }
        self.processes = {
            name: ServiceProcess(
                name,
                self._limited(name, [sys.executable, "-m", name]),
                settings.service_environment({**shared, **chosen.settings_of(name), **self._settings_of(name)}),
                self.log.for_service(name),
            )
            for name in SERVICES
        }

    def _settings_of(self, name: str) -> dict[str, str]:
        return {**self._service_settings.get(name, {}), **self._own_settings}

    def _limited(self, name: str, command: list[str]) -> list[str]:
        return self.cgroups[name].wrap(command) if name in self.cgroups else command

    def _stop(self, names: tuple[str, ...], end_s: float) -> None:
        """Ask services to end, all at once, and wait for them no longer than to the end of the time."""
        ending = [self.processes[name] for name in names if name in self.processes]
        for process in ending:
            process.terminate()
        for process in ending:
            process.wait(max(0.0, end_s - time.monotonic()))


def how_it_ended(process: ServiceProcess) -> str:
    """Say for people how a process ended: by a signal or with an exit code."""
    code = process.exit_code or 0
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").is_success
    except httpx.TransportError:
        return False


def _tail(process: ServiceProcess) -> str:
    lines = [readable(line) for line in process.last_lines()] or ["(nothing)"]
    return "".join(f"\n  {process.name}: {line}" for line in lines)
