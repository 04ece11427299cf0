"""The examples of docs/api.md and README.md, run against the real services as they stand there."""

import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from climbmate_client import Analysis
from climbmate_client.wire import ErrorAnswer
from gateway.web import answers

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/api.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(language, text, id=f"{page}-{number}-{language}")
    for page in PAGES
    for number, (language, text) in enumerate(FENCE.findall((ROOT / page).read_text()))
]


@pytest.fixture
def here(stack, sample_photo, tmp_path, monkeypatch):
    """A folder with `wall.jpg`; gives what turns an example's addresses into those of the running services."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wall.jpg").symlink_to(sample_photo)
    return lambda text: text.replace("http://127.0.0.1:8000", stack.url).replace("127.0.0.1:50050", stack.grpc_target)


def run_python(text, here):
    exec(compile(here(text), "example", "exec"), {"__name__": "example"})


def run_bash(text, here):
    if shutil.which("curl") is None:
        pytest.skip("optional: curl is not installed")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", here(text)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def read_json(text, here):
    first = next(iter(msgspec.json.decode(text)))
    kind = {"error": ErrorAnswer, "id": answers.JobReport}.get(first, Analysis)
    msgspec.json.decode(text, type=kind)


RUN = {"python": run_python, "bash": run_bash, "json": read_json}


@pytest.mark.parametrize(("language", "text"), [each for each in EXAMPLES if each.values[0] in RUN])
def test_the_example_works(language, text, here):
    RUN[language](text, here)


def test_the_pages_links_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text()):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
