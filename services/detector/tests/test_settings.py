import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from detector.settings import DetectorSettings
from servicekit.settings import BadSettings, read

OPERATORS = {
    "YOLO_IMG_SIZE": ("yolo_img_size", "320", 320),
    "MAX_IMAGE_SIZE": ("max_image_size", "800", 800),
    "MAX_HOLDS": ("max_holds", "80", 80),
    "MIN_CONFIDENCE": ("min_confidence", "0.5", 0.5),
    "OMP_NUM_THREADS": ("omp_num_threads", "1", 1),
    "MODELS_DIR": ("models_dir", "/models", "/models"),
    "DETECTOR_LISTEN": ("detector_listen", "unix:/run/detector.sock", "unix:/run/detector.sock"),
}


def of(**environ):
    return read(DetectorSettings, prefix="DETECTOR_", environ=environ)


@pytest.mark.parametrize("name", OPERATORS)
def test_the_names_that_operators_know_are_read(name):
    field, text, value = OPERATORS[name]
    assert getattr(of(), field) != value
    assert getattr(of(**{name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("YOLO_IMG_SIZE", "650"),
        ("YOLO_IMG_SIZE", "64"),
        ("YOLO_IMG_SIZE", "1280"),
        ("YOLO_IMG_SIZE", "large"),
        ("MAX_HOLDS", "0"),
        ("MAX_HOLDS", "301"),
        ("MIN_CONFIDENCE", "1.5"),
        ("MAX_IMAGE_SIZE", "big"),
        ("DETECTOR_LISTEN", "nowhere"),
        ("DETECTOR_TYPO", "1"),
    ],
)
def test_bad_values_are_named(name, text):
    with pytest.raises(BadSettings, match=name):
        of(**{name: text})


def test_a_size_that_was_never_measured_is_answered_with_those_that_were():
    with pytest.raises(BadSettings, match="YOLO_IMG_SIZE='512': must be one of 320, 480, 640, 704, 960"):
        of(YOLO_IMG_SIZE="512")


def test_the_sizes_are_those_that_the_manifest_states():
    manifest = tomllib.loads((Path(__file__).parents[3] / "models/manifest.toml").read_text())
    stated = manifest[of().detector_model]["input"].partition("squares of ")[2]
    assert get_args(get_type_hints(DetectorSettings)["yolo_img_size"]) == tuple(map(int, stated.split(",")))
