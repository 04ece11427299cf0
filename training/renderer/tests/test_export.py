"""Labels say what was rendered, and can be read back."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.renderer import Amounts, RenderedHold, render_wall
from training.renderer.export import WallFolder, hold_record, parse_yolo_line, walls_json, yolo_line

REPOSITORY = Path(__file__).parents[3]


def _hold(mask: np.ndarray, at: tuple[int, int] = (10, 20)) -> RenderedHold:
    box = (at[0], at[1], at[0] + mask.shape[1], at[1] + mask.shape[0])
    return RenderedHold("hold", "jug", "red", None, (200, 30, 30), False, 0, box, mask)


def test_the_outline_of_a_full_box_is_the_box():
    outline = _hold(np.ones((6, 8), bool)).polygon()
    assert outline.min(axis=0) == pytest.approx([10, 20], abs=0.2)
    assert outline.max(axis=0) == pytest.approx([18, 26], abs=0.2)


@pytest.mark.parametrize("mask", [np.ones((1, 1), bool), np.ones((1, 9), bool), np.eye(5, dtype=bool)])
def test_thin_masks_still_have_an_outline(mask):
    assert len(_hold(mask).polygon()) >= 4


def test_labels_round_trip_to_masks_of_the_same_shape():
    wall = render_wall(3, 240, 320, amounts=Amounts(holds=25, volumes=2, colors=5))
    overlaps = []
    for hold in wall.holds:
        kind, outline = parse_yolo_line(yolo_line(hold, (240, 320)), (240, 320))
        assert kind == hold.kind
        drawn = np.zeros((320 * 4, 240 * 4), np.uint8)
        cv2.fillPoly(drawn, [np.round(outline * 4 - 0.5).astype(np.int32)], 1)
        read = cv2.resize(drawn.astype(np.float32), (240, 320), interpolation=cv2.INTER_AREA) > 0.5
        mask = wall.full_mask(hold)
        overlaps.append((read & mask).sum() / (read | mask).sum())
    assert np.median(overlaps) > 0.95


@pytest.mark.parametrize("line", ["0", "0 0.1 0.2 0.3 0.4", "0 0.1 0.2 0.3 0.4 0.5"])
def test_a_line_without_an_outline_is_refused(line):
    with pytest.raises(ValueError, match="three points"):
        parse_yolo_line(line, (10, 10))


def test_a_folder_has_a_label_line_and_a_color_row_for_each_hold(tmp_path):
    wall = render_wall(3, 120, 160, amounts=Amounts(holds=10, volumes=1, colors=3))
    with WallFolder(tmp_path) as folder:
        folder.add("a", wall, 80)
    rows = list(csv.DictReader((tmp_path / "colors.csv").read_text().splitlines()))
    assert len(rows) == len(wall.holds)
    assert [row["color"] for row in rows] == [hold.color for hold in wall.holds]
    assert len((tmp_path / "labels" / "a.txt").read_text().splitlines()) == len(wall.holds)
    assert cv2.imread(str(tmp_path / "images" / "a.jpg")).shape == (160, 120, 3)


def test_the_json_truth_names_every_hold():
    wall = render_wall(3, 120, 160, amounts=Amounts(holds=10, volumes=1, colors=3))
    (photo,) = json.loads(walls_json([("a.jpg", wall)]))
    assert photo["file"] == "a.jpg"
    assert photo["ignore"] == []
    assert photo["holds"] == json.loads(json.dumps([hold_record(hold) for hold in wall.holds]))


def test_the_command_writes_walls_that_depend_on_their_number_only(tmp_path):
    for name, seed, count in (("both", 5, 2), ("second", 6, 1)):
        command = [sys.executable, "-m", "training.renderer", "walls", "--count", str(count), "--seed", str(seed)]
        subprocess.run([*command, "--size", "160", "--out", str(tmp_path / name)], check=True, cwd=REPOSITORY)
    first, second = (tmp_path / name / "images" / "rendered_000006.jpg" for name in ("both", "second"))
    assert first.read_bytes() == second.read_bytes()
