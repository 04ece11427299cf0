import contextlib
import json
import os
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import yaml
from climbmate.status.v1 import status_pb2, status_pb2_grpc

from bench.profile import given_settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
LISTENS = {
    "detector": ("DETECTOR_LISTEN", "DETECTOR_METRICS_LISTEN"),
    "colorizer": ("COLORIZER_LISTEN", "COLORIZER_METRICS_LISTEN"),
    "gateway": ("GATEWAY_GRPC_LISTEN", "GATEWAY_LISTEN"),
}
START_LIMIT_S = 60


@dataclass(frozen=True)
class Container:
    """A running container; its ports are on the host's loopback."""

    name: str
    grpc: str
    http: str

    def serves(self):
        probe = ["exec", self.name, "/opt/venv/bin/python", "-m", "servicekit.probe", self.grpc]
        return podman(*probe, check=False).returncode == 0

    def wait_until_it_serves(self):
        deadline_s = time.monotonic() + START_LIMIT_S
        while not self.serves():
            assert self.state()["Running"], self.log()
            assert time.monotonic() < deadline_s, f"not ready after {START_LIMIT_S} s\n{self.log()}"
            time.sleep(0.5)

    def memory(self):
        with grpc.insecure_channel(self.grpc) as channel:
            stub = status_pb2_grpc.StatusServiceStub(channel)
            return stub.GetStatus(status_pb2.GetStatusRequest(), timeout=10).memory

    def peak_bytes(self):
        """The most memory that the container's cgroup ever held, file pages included."""
        files = "/sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes"
        seen = podman("exec", self.name, "sh", "-c", f"cat {files} 2>/dev/null", check=False).stdout
        return int(seen or 0)

    def state(self):
        return json.loads(podman("inspect", self.name).stdout)[0]["State"]

    def wait_until_it_ends(self):
        podman("wait", self.name)
        return self.state()

    def log(self):
        return podman("logs", self.name).stdout

    def stop(self):
        podman("stop", "--time", "15", self.name)
        return self.state()


def podman(*arguments, check=True, folder=None):
    """Run podman, in a folder; what it prints, on either stream, is the result's `stdout`."""
    environment = os.environ | {"CONTAINERS_CONF": str(ROOT / "scripts/containers.conf")}
    command = ["podman", *arguments]
    return subprocess.run(
        command, env=environment, cwd=folder, check=check, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture(scope="session")
def compose():
    return COMPOSE["services"]


@pytest.fixture(scope="session")
def monitors(tmp_path_factory):
    """Where containers are started from: one that is killed for memory leaves a file `oom` there."""
    return tmp_path_factory.mktemp("monitors")


@pytest.fixture(scope="session")
def run_python(monitors):
    """Runs a line of Python in a service's image and returns what it prints."""

    def run(service, line):
        image = COMPOSE["services"][service]["image"]
        options = ["--rm", "--network=none", "--entrypoint=/opt/venv/bin/python"]
        return podman("run", *options, image, "-c", line, check=False, folder=monitors).stdout

    return run


@pytest.fixture(scope="session")
def run_service(monitors):
    """Starts a service's image as compose.yaml would: same memory limit, nothing writable, nothing gained."""

    @contextlib.contextmanager
    def run(service, **variables):
        limits = COMPOSE["services"][service]
        container = Container(f"climbmate-test-{service}-{uuid.uuid4().hex[:8]}", free_address(), free_address())
        given = given_settings(limits["environment"])
        listens = dict(zip(LISTENS[service], (container.grpc, container.http), strict=True))
        environment = [f"--env={name}={value}" for name, value in (given | listens | variables).items()]
        hardening = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges"]
        memory = [f"--memory={limits['mem_limit']}", f"--memory-swap={limits['memswap_limit']}"]
        options = ["--detach", "--network=host", f"--name={container.name}", *hardening, *memory, *environment]
        podman("run", *options, limits["image"], folder=monitors)
        try:
            yield container
        finally:
            podman("rm", "--force", container.name)

    return run
