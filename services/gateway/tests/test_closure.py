"""The gateway stays small: nothing that handles pixels or models is in its environment."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FORBIDDEN = {
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "onnxruntime",
    "pillow",
    "torch",
    "climbmate-visionkit",
}
BLOCKED = ("numpy", "cv2", "onnxruntime", "PIL", "torch", "visionkit", "detector", "colorizer")


def installed_closure(name):
    found, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for requirement in importlib.metadata.requires(name) or []:
            if "extra ==" not in requirement:
                other = re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")
                try:
                    importlib.metadata.distribution(other)
                except importlib.metadata.PackageNotFoundError:
                    continue  # for another platform or Python
                waiting.append(other)
    return found


def locked_closure(name):
    packages = {package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    found, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [dependency["name"] for dependency in packages[name].get("dependencies", [])]
    return found


@pytest.mark.parametrize("closure", [installed_closure, locked_closure])
def test_nothing_for_pixels_or_models_is_among_its_dependencies(closure):
    found = closure("climbmate-gateway")
    assert {"starlette", "grpcio", "climbmate-servicekit"} <= found  # the closure is really followed
    assert found & FORBIDDEN == set()


def test_it_imports_with_those_packages_blocked():
    program = f"""
import sys
for name in {BLOCKED!r}:
    sys.modules[name] = None
import gateway.__main__, gateway.web.app, gateway.servicer
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
