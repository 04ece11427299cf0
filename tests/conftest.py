"""What tests of more than one service share."""

from pathlib import Path

import pytest
from climbmate_client.local import LocalStack

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The three services, started once. A test that stops one starts it again and waits until the stack is ready."""
    folder = tmp_path_factory.mktemp("services")
    own = {"GATEWAY_FEEDBACK_FILE": str(folder / "feedback.db")}
    with (
        (folder / "services.log").open("w", buffering=1) as lines,
        LocalStack(own_settings=own, write_log=lambda line: print(line, file=lines)) as stack,
    ):
        yield stack


@pytest.fixture(scope="session")
def sample_photo():
    """The shipped rendered wall, a 12-megapixel JPEG."""
    return ROOT / "assets" / "sample-wall.jpg"
