import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from colorizer.__main__ import load
from colorizer.colorist import Colorist, HoldCrop
from colorizer.palette import Prompt
from colorizer.settings import ColorizerSettings
from servicekit.cancel import CancelToken

REPOSITORY = Path(__file__).parents[3]
MODELS = REPOSITORY / "models"
DATA = REPOSITORY.parent / "shared" / "data"
NAMES = [
    *("red", "orange", "yellow", "lime", "green", "mint", "blue", "sky"),
    *("purple", "pink", "brown", "beige", "white", "gray", "black"),
]

GOLDEN = {
    "red": (196, 32, 38), "orange": (232, 112, 24), "yellow": (240, 200, 30), "lime": (160, 210, 40),
    "green": (24, 110, 62), "blue": (28, 78, 170), "sky": (96, 176, 224), "purple": (96, 52, 130),
    "pink": (224, 104, 160), "white": (238, 238, 234), "gray": (128, 130, 132), "black": (26, 26, 28),
}  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> Colorist:
    colorist, _ = load(ColorizerSettings(models_dir=str(MODELS), omp_num_threads=1))
    return colorist


def shaded_hold(rgb: tuple[int, int, int], *, hold_id: int = 0, side_px: int = 72, chalk: float = 0.0) -> HoldCrop:
    """A ball of plastic, lit from above, with a bolt hole, on a plywood wall."""
    rng = np.random.default_rng(hold_id)
    rows, columns = (np.mgrid[:side_px, :side_px] + 0.5) / side_px * 2 - 1
    mask = rows**2 + columns**2 < 0.9
    shade = np.clip(0.95 - 0.3 * rows - 0.25 * (rows**2 + columns**2), 0.3, 1.15)[..., None]
    pixels = np.where(mask[..., None], np.array(rgb) * shade, (196, 160, 118))
    cover = chalk * (cv2.GaussianBlur(rng.random((side_px, side_px)), (0, 0), 5)[..., None] > 0.5)
    pixels = pixels * (1 - cover) + 235 * cover
    pixels[rows**2 + columns**2 < 0.02] = 20
    return HoldCrop(hold_id, np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8), mask)


def test_the_palette_is_the_one_of_the_design(shipped):
    assert list(shipped.palette.choice.names) == NAMES


@pytest.mark.parametrize("chalk", [0.0, 0.35])
def test_plain_shaded_and_chalky_holds_have_the_color_they_were_given(shipped, chalk):
    crops = [shaded_hold(rgb, hold_id=i, chalk=chalk) for i, rgb in enumerate(GOLDEN.values())]
    named = [color.name for color in shipped.name(crops, token=CancelToken())]
    assert named == list(GOLDEN)


def test_the_name_does_not_depend_on_the_neighbors_in_the_batch(shipped):
    crops = [shaded_hold(rgb, hold_id=i) for i, rgb in enumerate(GOLDEN.values())]
    together = shipped.name(crops, token=CancelToken())
    alone = [shipped.name([crop], token=CancelToken())[0] for crop in crops]
    for one, other in zip(together, alone, strict=True):
        assert one.name == other.name
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


def test_confidences_are_probabilities(shipped):
    crops = [shaded_hold(rgb, hold_id=i) for i, rgb in enumerate(GOLDEN.values())]
    assert all(1 / len(NAMES) < color.confidence <= 1 for color in shipped.name(crops, token=CancelToken()))


WISHES = [Prompt(name, text.format(name)) for name, text in {
    "bright red": "a {} climbing hold", "neon yellow": "a {} climbing hold", "navy": "a {} hold",
    "violet": "{}", "jet black": "a {} climbing hold", "plain white": "a {} hold",
}.items()]  # fmt: skip


def test_a_palette_of_ones_own_is_understood(shipped):
    wanted = {"red": "bright red", "yellow": "neon yellow", "blue": "navy", "purple": "violet"}
    wanted |= {"black": "jet black", "white": "plain white"}
    crops = [shaded_hold(GOLDEN[name], hold_id=i) for i, name in enumerate(wanted)]
    named = shipped.name(crops, WISHES, token=CancelToken())
    assert [color.name for color in named] == list(wanted.values())


def test_the_own_palette_put_in_words_gives_the_own_palettes_names(shipped):
    crops = [shaded_hold(rgb, hold_id=i) for i, rgb in enumerate(GOLDEN.values())]
    words = [Prompt(name, text) for name, text in zip(NAMES, shipped.palette.prompts, strict=True)]
    named = [color.name for color in shipped.name(crops, words, token=CancelToken())]
    assert named == list(GOLDEN)


def dev_holds() -> Iterator[tuple[HoldCrop, set[str]]]:
    """The labeled crops of the dev photos under an elliptic mask, with their right names."""
    by_photo = defaultdict(list)
    with (DATA / "colors" / "labels.csv").open() as file:
        for row in csv.DictReader(file):
            if row["set"] == "dev" and row["bad"] != "true":
                by_photo[row["photo"]].append(row)
    for photo, rows in by_photo.items():
        pixels = cv2.imread(str(DATA / "dev" / "images" / photo))[..., ::-1]
        for row in rows:
            x0, y0, x1, y1 = (round(float(row[k])) for k in ("x0", "y0", "x1", "y1"))
            rgb = np.ascontiguousarray(pixels[max(0, y0) : y1, max(0, x0) : x1])
            mask = np.zeros(rgb.shape[:2], np.uint8)
            height, width = mask.shape
            cv2.ellipse(mask, ((width / 2, height / 2), (width * 0.8, height * 0.8), 0), 1, thickness=-1)
            yield HoldCrop(len(rows), rgb, mask.astype(bool)), {row["color"], row["alt"]}


@pytest.mark.skipif(not DATA.exists(), reason="optional: the photos are not part of the repository")
def test_holds_on_photos_of_other_walls_are_named_right_even_under_a_crude_mask(shipped):
    crops, right = zip(*dev_holds(), strict=True)
    named = shipped.name(crops, token=CancelToken())
    share = np.mean([color.name in names for color, names in zip(named, right, strict=True)])
    assert len(crops) > 150
    assert share >= 0.80
