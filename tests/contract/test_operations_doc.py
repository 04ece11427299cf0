"""docs/operations.md says what the code does."""

import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def document(root):
    return (root / "docs/operations.md").read_text()


def test_the_tables_of_settings_are_those_of_the_structs(root):
    check = [sys.executable, root / "scripts/settings_tables.py", "--check"]
    assert subprocess.run(check, check=False).returncode == 0, "run scripts/settings_tables.py"


def test_every_service_has_a_table_of_settings(document, service):
    assert f"<!-- settings of {service} -->" in document


def test_every_metric_is_listed(document, root):
    sources = [*root.glob("libs/*/src/**/*.py"), *root.glob("services/*/src/**/*.py")]
    names = {name for path in sources for name in re.findall(r'"(climbmate_[a-z_]+)"', path.read_text())}
    assert names
    assert not {name for name in names if f"`{name}`" not in document}


def test_every_port_is_listed(document, service, image):
    assert not {port for port in image(service).ports if f"| {port} |" not in document}
