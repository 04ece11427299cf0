"""uv.lock can be installed from the public index alone, on the system that the services run on."""

import re
import tomllib

import pytest


@pytest.fixture(scope="module")
def text(root):
    return (root / "uv.lock").read_text()


def test_everything_comes_from_the_public_index(text):
    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"pypi.org", "files.pythonhosted.org"}


def test_the_lock_is_for_linux_which_the_services_need(text):
    assert tomllib.loads(text)["supported-markers"] == ["sys_platform == 'linux'"]
