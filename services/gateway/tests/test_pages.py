"""The pages' files come from here alone."""

import json
import re
from importlib import resources

import pytest

STATIC = resources.files("gateway.web") / "static"


def paths(folder=STATIC, prefix="/static/"):
    for entry in folder.iterdir():
        yield from paths(entry, f"{prefix}{entry.name}/") if entry.is_dir() else [prefix + entry.name]


@pytest.mark.parametrize("path", ["/", "/docs", "/monitor", "/worker.js", *sorted(paths())])
async def test_pages_come_from_here_alone(gate, path):
    page = await gate.http.get(path)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    if page.headers["content-type"].partition(";")[0] != "image/png":
        hosts = set(re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", page.text))
        assert hosts <= {"http://www.w3.org"}  # SVG's namespace is a name, nobody fetches it


@pytest.mark.parametrize(
    "name", ["nothing.js", "", "page", "page/", "..%2fpages.py", "%2e%2e/pages.py", "page/..%2fbase.css"]
)
async def test_only_the_pages_files_are_served(gate, name):
    assert (await gate.http.get(f"/static/{name}")).status_code == 404


async def test_the_worker_keeps_everything_that_the_page_needs_to_open_offline(gate):
    worker = (await gate.http.get("/worker.js")).text
    kept = json.loads(re.search(r"const KEPT = (.*);", worker)[1])
    needed = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', (await gate.http.get("/")).text))
    own = {path for path in paths() if path.startswith("/static/page/")}
    assert set(kept) == {"/"} | own | needed
