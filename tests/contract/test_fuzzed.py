"""The HTTP API under requests made up from its own description; the services behind it are scripted ones."""

import asyncio
import socket
import sys

import pytest

from services.gateway.tests.conftest import open_gate  # noqa: F401 - a fixture

_CONFIG = """
[parameters]
"path.job_id" = "{job_id}"
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 504]
"""


@pytest.mark.timeout(240)
async def test_no_made_up_request_is_answered_with_a_bug_or_beside_the_description(open_gate, tmp_path):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    gate = await open_gate(gateway_listen=listen, gateway_remember_s=600.0)
    job_id = (await gate.analyze()).headers["content-location"].rpartition("/")[2]
    (tmp_path / "schemathesis.toml").write_text(_CONFIG.format(job_id=job_id))
    command = [
        "run",
        f"http://{listen}/openapi.json",
        "--max-examples",
        "10",
        "--seed",
        "1",
        "--phases",
        "examples,coverage,fuzzing",
    ]
    command += [
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "schemathesis.cli",
        *command,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    assert (await gate.analyze()).status_code == 200
