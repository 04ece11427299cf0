import importlib
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
import yaml
from servicekit.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
SERVICES = sorted(folder.name for folder in (ROOT / "services").iterdir() if folder.is_dir())
MODEL_SERVICES = [name for name in SERVICES if (ROOT / f"services/{name}/src/{name}/model.py").exists()]
PROFILES = ["base", *sorted(folder.name for folder in (ROOT / "k8s/overlays").iterdir())]


def pytest_generate_tests(metafunc):
    for name, values in {"service": SERVICES, "model_service": MODEL_SERVICES, "profile": PROFILES}.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values, scope="session")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def render():
    """Gives a profile's Kubernetes objects: `base` as the files are, an overlay as kustomize renders it."""
    rendered = {}

    def objects(profile):
        if profile not in rendered:
            rendered[profile] = list(yaml.safe_load_all(_text(profile)))
        return rendered[profile]

    return objects


def _text(profile):
    if profile == "base":
        files = sorted(path for path in (ROOT / "k8s/base").rglob("*.yaml") if path.name != "kustomization.yaml")
        return "\n---\n".join(path.read_text() for path in files)
    if not shutil.which("kubectl"):
        pytest.skip("optional: without kubectl the base and the patches are checked, not what they make together")
    command = ["kubectl", "kustomize", str(ROOT / "k8s/overlays" / profile)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def objects(render, profile):
    return render(profile)


@pytest.fixture(scope="session")
def settings_kind():
    """Gives the Settings struct of a service."""

    def kind(service):
        module = importlib.import_module(f"{service}.settings")
        structs = [value for value in vars(module).values() if isinstance(value, type)]
        (own,) = [s for s in structs if issubclass(s, ServiceSettings) and s is not ServiceSettings]
        return own

    return kind


@pytest.fixture(scope="session")
def defaults(settings_kind):
    """Gives a service's settings as environment variables with their defaults."""
    return lambda service: {
        field.encode_name.upper(): field.default for field in msgspec.structs.fields(settings_kind(service))
    }


@pytest.fixture(scope="session")
def image():
    """Gives what a service's Dockerfile says."""
    return lambda service: _read_dockerfile(ROOT / f"services/{service}/Dockerfile")


def _read_dockerfile(path):
    text = path.read_text().replace("\\\n", " ")
    final = text[text.rindex("\nFROM ") :]
    return SimpleNamespace(
        text=text,
        final=final,
        env=dict(pair.split("=", 1) for line in re.findall(r"^ENV (.*)", final, re.M) for pair in line.split()),
        ports={int(port) for port in re.search(r"^EXPOSE (.*)", final, re.M)[1].split()},
        entrypoint=re.search(r"^ENTRYPOINT (.*)", final, re.M)[1],
        models=re.findall(r"models/(\S+)", final),
    )
