"""The search for limits, and where they are written; trials with real services are in tests/load."""

import shutil
from pathlib import Path

import pytest
import yaml
from climbmate_client.limits.photos import worst_photos
from climbmate_client.limits.profiles import Profile
from climbmate_client.limits.search import MIB, STEP_BYTES, NoLimitIsEnough, smallest
from climbmate_client.local.stack import SERVICES
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("needed_mib", [34, 35, 100, 431, 543])
def test_the_smallest_limit_is_found_to_a_step(needed_mib):
    def survives(limit_bytes):
        return "" if limit_bytes >= needed_mib * MIB else "killed for memory"

    found = smallest(survives, low_bytes=32 * MIB, high_bytes=544 * MIB)
    assert 0 <= found.smallest_bytes - needed_mib * MIB < STEP_BYTES
    assert found.limit_bytes >= 1.05 * needed_mib * MIB
    assert found.limit_bytes % STEP_BYTES == 0
    assert found.why_not_less in ("killed for memory", "")


def test_a_limit_that_is_never_enough_is_told_with_its_reason():
    with pytest.raises(NoLimitIsEnough, match="never answered"):
        smallest(lambda _: "a photo is never answered", low_bytes=0, high_bytes=MIB)


@pytest.fixture
def clone(tmp_path):
    """The manifests of this repository, to write into."""
    shutil.copytree(ROOT / "k8s", tmp_path / "k8s")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    return tmp_path


def test_the_settings_of_a_profile_are_those_of_its_manifests(clone):
    assert Profile(clone, "small").settings()["gateway"]["GATEWAY_ANSWERS_MB"].isdigit()
    assert not any(name.endswith("_TARGET") for name in Profile(clone, "standard").settings()["gateway"])


def test_small_limits_are_written_into_the_overlay_and_into_compose(clone):
    limits = {name: (200 + 4 * number) * MIB for number, name in enumerate(SERVICES)}
    Profile(clone, "small").write(limits)
    parts = yaml.safe_load_all((clone / "k8s/overlays/small/memory.yaml").read_text())
    containers = [part["spec"]["template"]["spec"]["containers"][0] for part in parts]
    compose = yaml.safe_load((clone / "compose.yaml").read_text())["services"]
    for container in containers:
        mib = limits[container["name"]] // MIB
        assert container["resources"]["limits"]["memory"] == f"{mib}Mi"
        assert container["resources"]["requests"]["memory"] == f"{mib}Mi"
        assert compose[container["name"]]["mem_limit"] == compose[container["name"]]["memswap_limit"] == f"{mib}m"


def test_standard_limits_are_written_into_the_base_and_nothing_else_changes(clone):
    before = {file: file.read_text() for file in clone.rglob("*.yaml")}
    Profile(clone, "standard").write({"detector": 404 * MIB})
    changed = [file for file, text in before.items() if file.read_text() != text]
    assert [file.relative_to(clone).as_posix() for file in changed] == ["k8s/base/detector/deployment.yaml"]
    assert changed[0].read_text().count("memory: 404Mi") == 2


def test_a_table_is_put_between_its_markers(tmp_path):
    document = tmp_path / "memory.md"
    document.write_text("before\n<!-- limits of small -->\nold\n<!-- end -->\nafter\n")
    Profile(tmp_path, "small").write_table(document, "new")
    assert document.read_text() == "before\n<!-- limits of small -->\nnew\n<!-- end -->\nafter\n"


def test_the_worst_photos_are_what_they_say(tmp_path):
    wall = tmp_path / "wall.jpg"
    Image.new("RGB", (1200, 900), (120, 130, 140)).save(wall)
    photos = {photo.name: photo.content for photo in worst_photos(wall)}
    assert len(photos["12 MP JPEG of 24 MiB"]) == 24 * MIB
    assert all(len(content) <= 24 * MIB for content in photos.values())
