"""Every service is laid out alike, so that who knows one knows all; docs/adding-a-service.md names the same files."""

import tomllib

import pytest

IN_FOLDER = ["Dockerfile", "README.md", "pyproject.toml", "tests"]
IN_PACKAGE = ["__init__.py", "__main__.py", "convert.py", "pipeline.py", "servicer.py", "settings.py"]


@pytest.mark.parametrize("name", IN_FOLDER)
def test_every_service_folder_has(root, service, name):
    assert (root / "services" / service / name).exists()


@pytest.mark.parametrize("name", IN_PACKAGE)
def test_every_service_package_has(root, service, name):
    assert (root / "services" / service / "src" / service / name).exists()


def test_every_service_has_tests(root, service):
    assert list((root / "services" / service / "tests").rglob("test_*.py"))


def test_every_service_is_a_workspace_member_named_after_its_folder(root, service):
    project = tomllib.loads((root / "services" / service / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"climbmate-{service}"
    workspace = tomllib.loads((root / "pyproject.toml").read_text())
    assert project["name"] in workspace["project"]["dependencies"]


def test_every_service_has_manifests_and_a_place_in_compose(root, service):
    assert (root / "k8s/base" / service / "kustomization.yaml").exists()
    assert f"services/{service}/Dockerfile" in (root / "compose.yaml").read_text()


def test_every_service_is_independent_of_the_others_by_contract(root, service):
    workspace = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert service in workspace["root_packages"]
    (independence,) = [each for each in workspace["contracts"] if each["type"] == "independence"]
    assert service in independence["modules"]


@pytest.mark.parametrize("name", [*IN_FOLDER, *IN_PACKAGE, "model.py"])
def test_the_guide_names_every_required_file(root, name):
    assert name in (root / "docs/adding-a-service.md").read_text()


def test_a_service_with_models_wraps_them_in_model_py(root, service):
    manifest = tomllib.loads((root / "models/manifest.toml").read_text())
    owners = {entry["service"] for entry in manifest.values() if isinstance(entry, dict) and "service" in entry}
    assert (root / f"services/{service}/src/{service}/model.py").exists() == (service in owners)


def test_every_place_names_the_same_release(root, service):
    version = tomllib.loads((root / "services" / service / "pyproject.toml").read_text())["project"]["version"]
    image = f"image: climbmate-{service}:{version}\n"
    assert image in (root / "compose.yaml").read_text()
    assert image in (root / "k8s/base" / service / "deployment.yaml").read_text()
    label = f'org.opencontainers.image.version="{version}"'
    assert label in (root / "services" / service / "Dockerfile").read_text()
