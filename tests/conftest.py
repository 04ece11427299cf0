"""What tests of more than one service share."""

from pathlib import Path

import pytest
from climbmate_client.local import LocalStack

ROOT = Path(__file__).parents[1]
FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[FIGURES] = []


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[FIGURES]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig):
    """Lines that are shown at the end of the run."""
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def feedback_file(tmp_path_factory):
    """Where the gateway of the stack stores corrections."""
    return tmp_path_factory.mktemp("feedback") / "feedback.db"


@pytest.fixture(scope="session")
def stack(tmp_path_factory, feedback_file):
    """The three services, started once. A test that stops one starts it again and waits until the stack is ready."""
    log = tmp_path_factory.mktemp("services") / "services.log"
    own = {"GATEWAY_FEEDBACK_FILE": str(feedback_file)}
    with (
        log.open("w", buffering=1) as lines,
        LocalStack(own_settings=own, write_log=lambda line: print(line, file=lines)) as stack,
    ):
        yield stack


@pytest.fixture(scope="session")
def sample_photo():
    """The shipped rendered wall, a 12-megapixel JPEG."""
    return ROOT / "assets" / "sample-wall.jpg"
