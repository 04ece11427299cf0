"""What the Dockerfiles promise, read from their text; tests/containers builds and runs them."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

KNOWN = {
    "MALLOC_ARENA_MAX",
    "OPENBLAS_NUM_THREADS",
    "ORT_DISABLE_TELEMETRY",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
}


def test_hadolint_has_no_objection(root, service):
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    dockerfile = root / f"services/{service}/Dockerfile"
    lint = subprocess.run([hadolint, dockerfile], capture_output=True, text=True, check=False)
    assert lint.returncode == 0, lint.stdout


def test_the_process_is_not_root_and_gets_signals_itself(image, service):
    assert "\nUSER 10001:10001\n" in image(service).final
    assert json.loads(image(service).entrypoint) == ["/opt/venv/bin/python", "-m", service]


def test_every_variable_of_the_image_is_a_setting_or_known(image, service, defaults):
    assert set(image(service).env) - KNOWN <= set(defaults(service))


def test_onnx_runtime_reports_to_nobody(image, service, root):
    onnx_runtime = "libs/visionkit" in image(service).text
    assert (image(service).env.get("ORT_DISABLE_TELEMETRY") == "1") == onnx_runtime


def test_the_image_listens_on_the_default_ports_for_everyone(image, service, defaults):
    listens = {name: value for name, value in image(service).env.items() if name.endswith("_LISTEN")}
    assert set(listens) == {name for name in defaults(service) if name.endswith("_LISTEN")}
    for name, value in listens.items():
        host, _, port = value.rpartition(":")
        assert host == "0.0.0.0"
        assert port == defaults(service)[name].rpartition(":")[2]
    assert {int(value.rpartition(":")[2]) for value in listens.values()} == image(service).ports


def test_the_image_carries_the_files_of_its_own_models_only(image, service, root):
    manifest = tomllib.loads((root / "models/manifest.toml").read_text())
    own = [model for model in manifest.values() if isinstance(model, dict) and model.get("service") == service]
    files = {file["path"] for model in own for file in model["files"].values()}
    assert set(image(service).models) - {"manifest.toml"} == files
    assert ("manifest.toml" in image(service).models) == bool(own)


def test_the_dockerfiles_follow_one_pattern(image, root):
    """They differ in what they copy and set, and in nothing else."""

    def instructions(name):
        words = re.findall(r"^([A-Z]+) ", image(name).text, re.M)
        return tuple(word for word in words if word != "COPY")

    assert len({instructions(folder.name) for folder in (root / "services").iterdir()}) == 1


def test_the_image_builds_with_the_same_uv_as_the_checkout(image, service, root):
    pinned = re.search(r"^UV_VERSION\s*[:?]?=\s*(\S+)", (root / "Makefile").read_text(), re.M)[1]
    assert f"ARG UV_VERSION={pinned}\n" in image(service).text


def test_the_license_label_is_that_of_the_project(image, service, root):
    project = tomllib.loads((root / f"services/{service}/pyproject.toml").read_text())["project"]
    assert f'org.opencontainers.image.licenses="{project["license"]}"' in image(service).final
