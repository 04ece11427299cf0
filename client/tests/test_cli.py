"""The command, in a process of its own, against the fake gateway."""

import json
import os
import subprocess
import sys

import pytest
from PIL import Image


def climbmate(*arguments, **environ):
    command = [sys.executable, "-m", "climbmate_client", *map(str, arguments)]
    environ = {**os.environ, "COLUMNS": "100", **environ}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)


def test_without_arguments_it_lists_its_commands():
    listed = climbmate("--help").stdout
    assert "analyze" in listed
    assert "up" in listed


def test_analyze_prints_small_tables(gateway, wall_file):
    done = climbmate("analyze", wall_file, "--url", gateway.url)
    assert done.returncode == 0
    assert "4 holds, 1 problem in 1200 x 900 pixels" in done.stdout
    words = [line.split() for line in done.stdout.splitlines()]
    assert any(row[:2] == ["red-1", "3"] for row in words)
    for part in ("Problem", "Color", "unknown", "decode", "118", "detector", "140", "none"):
        assert part in done.stdout


def test_json_is_all_that_is_printed(gateway, wall_file):
    done = climbmate("analyze", wall_file, "--url", gateway.url, "--json")
    assert json.loads(done.stdout)["request_id"] == "01JABC"


def test_files_are_written_also_into_a_folder_that_is_not_there(gateway, wall_file):
    saved, drawn = wall_file.parent / "out" / "analysis.json", wall_file.parent / "out" / "overlay.png"
    done = climbmate("analyze", wall_file, "--url", gateway.url, "--save", saved, "--overlay", drawn)
    assert done.returncode == 0
    assert json.loads(saved.read_bytes())["problems"][0]["id"] == "red-1"
    with Image.open(drawn) as image:
        assert (image.format, image.size) == ("PNG", (1200, 900))
    assert str(drawn) in done.stdout.replace("\n", "")


def test_holds_are_drawn_also_while_the_colorizer_is_down(gateway, wall_file):
    body = {"error": {"code": "UNAVAILABLE", "message": "No colors.", "request_id": "", "details": {}}}
    gateway.answer("/api/palette", (503, body, {"Retry-After": "1"}))
    drawn = wall_file.parent / "overlay.png"
    done = climbmate("analyze", wall_file, "--url", gateway.url, "--overlay", drawn)
    assert done.returncode == 0, done.stderr
    with Image.open(drawn) as image:
        assert (196, 38, 44) in {color for _, color in image.getcolors(1 << 24)}  # as photographed


def test_parameters_reach_the_gateway(gateway, wall_file):
    climbmate("analyze", wall_file, "--url", gateway.url, "--max-holds", 300, "--min-confidence", 0.01)
    assert gateway.requests[0].params == {"max_holds": "300", "min_confidence": "0.01"}


def test_colors_of_ones_own_reach_the_gateway(gateway, wall_file):
    climbmate("analyze", wall_file, "--url", gateway.url, "--palette", "mint", "--palette", "wood:a hold of bare wood")
    assert gateway.requests[0].params == {"palette": "mint,wood:a hold of bare wood"}


def test_what_an_unknown_color_may_be_is_told(gateway, wall_file):
    assert "unknown (brown or beige)" in climbmate("analyze", wall_file, "--url", gateway.url).stdout


def one_line(done):
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    assert "Traceback" not in done.stderr
    assert not done.stdout
    return lines[0]


def test_a_missing_file_is_one_line(gateway):
    done = climbmate("analyze", "absent.jpg", "--url", gateway.url)
    assert done.returncode == 2
    assert "absent.jpg" in one_line(done)
    assert not gateway.requests


def test_a_picture_name_that_nothing_writes_is_told_before_the_work(gateway, wall_file):
    done = climbmate("analyze", wall_file, "--url", gateway.url, "--overlay", "overlay.doc")
    assert done.returncode == 2
    assert "overlay.doc" in one_line(done)
    assert not gateway.requests


def test_a_refusal_is_one_line_with_its_code_and_its_request(gateway, wall_file):
    body = {"error": {"code": "INVALID_IMAGE", "message": "This is no photo.", "request_id": "01J", "details": {}}}
    gateway.answer("/api/analyze-stream", (400, body))
    done = climbmate("analyze", wall_file, "--url", gateway.url)
    assert done.returncode == 1
    assert one_line(done) == "Error: INVALID_IMAGE: This is no photo. (request 01J)"


def test_a_wait_that_the_gateway_asks_for_is_told(gateway, wall_file):
    body = {"error": {"code": "OVERLOADED", "message": "Full.", "request_id": "", "details": {}}}
    gateway.answer("/api/analyze-stream", (503, body, {"Retry-After": "3"}))
    assert one_line(climbmate("analyze", wall_file, "--url", gateway.url)).endswith("Full. Try again in 3 s.")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "127.0.0.1:9", "nonsense://x"])
def test_an_address_where_nobody_answers_is_one_line(wall_file, url):
    done = climbmate("analyze", wall_file, "--url", url)
    assert done.returncode in (2, 3)
    assert url in one_line(done)


def test_an_unwritable_file_is_one_line(gateway, wall_file):
    done = climbmate("analyze", wall_file, "--url", gateway.url, "--save", wall_file / "below" / "a.json")
    assert done.returncode == 1
    assert "Not a directory" in one_line(done)
