"""What a new user runs first: the command starts the services, analyzes the sample photo and stops them."""

import json
import subprocess
import sys

from PIL import Image


def climbmate(*arguments):
    command = [sys.executable, "-m", "climbmate_client", "analyze", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_does_the_whole_job_by_itself(sample_photo, tmp_path):
    saved, drawn = tmp_path / "out" / "analysis.json", tmp_path / "out" / "overlay.png"
    done = climbmate(sample_photo, "--save", saved, "--overlay", drawn)
    assert done.returncode == 0, done.stderr
    answer = json.loads(saved.read_bytes())
    assert f"{len(answer['holds'])} holds" in done.stdout
    for part in ("Problem", "Color", "Stage", "total", "detector", "colorizer", "gateway"):
        assert part in done.stdout
    with Image.open(drawn) as overlay, Image.open(sample_photo) as photo:
        assert overlay.width * photo.height == overlay.height * photo.width


def test_a_file_that_is_no_photo_is_refused_in_one_line(stack, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("no photo\n")
    done = climbmate(file, "--url", stack.url)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: UNSUPPORTED_FORMAT: ")
    assert len(done.stderr.splitlines()) == 1
