"""`make` alone tells what there is, and what the docs and CI call is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


@pytest.fixture(scope="module")
def listed():
    """What `make` without a target prints."""
    done = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_make_alone_lists_every_target_with_one_line_each(listed):
    rows = re.findall(r"^  make ([a-z-]+) +(\S.*)$", listed, re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(TARGETS)
    assert all(len(line) <= 120 for line in listed.splitlines())


def test_no_target_is_mistaken_for_a_file():
    assert set(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)) == TARGETS


def test_ci_calls_make_targets_that_exist():
    script = (ROOT / ".ci" / "run").read_text()
    called = set(re.findall(r"^(?:if .*then )?step ([a-z-]+)", script, re.MULTILINE))
    loops = re.findall(r"^for check in ([^;]+); do step", script, re.MULTILINE)
    called |= {name for names in loops for name in names.split()}
    assert {"test", "demo"} <= called <= TARGETS


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.md")))
def test_the_docs_name_targets_that_exist(page):
    assert set(re.findall(r"`make ([a-z-]+)", (ROOT / page).read_text())) <= TARGETS


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_first_pages_name_targets_that_exist(page):
    text = (ROOT / page).read_text()
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= TARGETS
