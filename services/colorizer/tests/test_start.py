import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from climbmate.colorizer.v1 import colorizer_pb2, colorizer_pb2_grpc
from climbmate.status.v1 import status_pb2, status_pb2_grpc
from colorizer.__main__ import load
from colorizer.settings import ColorizerSettings
from servicekit.server import StartError
from visionkit import manifest

MODELS = Path(__file__).parents[3] / "models"
PATIENCE_S = 60  # for a busy machine; alone it takes half a second


def start(**environment: str) -> subprocess.Popen[str]:
    variables = {"PATH": os.environ["PATH"], "MODELS_DIR": str(MODELS), "COLORIZER_METRICS_LISTEN": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "colorizer"],
        env=variables | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def copied_models(tmp_path: Path) -> Path:
    """The shipped model in a folder of its own, to be spoiled."""
    entry = manifest.load(MODELS).model("climbmate-clip")
    shutil.copy(MODELS / "manifest.toml", tmp_path)
    for file in entry.files.values():
        shutil.copy(MODELS / file.path, tmp_path)
    return tmp_path


def test_it_serves_until_it_is_told_to_stop(tmp_path):
    target = f"unix:{tmp_path}/colorizer.sock"
    process = start(COLORIZER_LISTEN=target, CLIP_BATCH_SIZE="3", OMP_NUM_THREADS="1")
    try:
        with grpc.insecure_channel(target) as channel:
            grpc.channel_ready_future(channel).result(timeout=PATIENCE_S)
            palette = colorizer_pb2_grpc.ColorizerServiceStub(channel).GetPalette(colorizer_pb2.GetPaletteRequest())
            status = status_pb2_grpc.StatusServiceStub(channel).GetStatus(status_pb2.GetStatusRequest())
    finally:
        process.send_signal(signal.SIGTERM)
        log, _ = process.communicate(timeout=PATIENCE_S)
    assert len(palette.colors) == 15
    assert status.models[0].name == "climbmate-clip"
    assert process.returncode == 0, log
    assert [json.loads(line)["event"] for line in log.splitlines()][-1] == "stopped"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLIP_BATCH_SIZE", "0"),
        ("CLIP_BATCH_SIZE", "many"),
        ("OMP_NUM_THREADS", "-1"),
        ("COLORIZER_LISTEN", "nowhere"),
        ("COLORIZER_BATCH", "8"),
    ],
)
def test_a_setting_that_is_bad_or_unknown_stops_the_start_with_one_line(variable, value):
    process = start(**{variable: value})
    log, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert log.count("\n") == 1
    assert variable in log


def test_a_model_that_nobody_ships_stops_the_start_with_one_line():
    process = start(CLIP_MODEL="ViT-Q-1")
    log, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert log.count("\n") == 1
    assert "ViT-Q-1" in json.loads(log)["reason"]


@pytest.mark.parametrize("role", ["image", "palette"])
def test_a_file_that_is_not_the_listed_one_stops_the_start(copied_models, role):
    path = manifest.load(copied_models).model("climbmate-clip").verified_path(role)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StartError, match="sha256"):
        load(ColorizerSettings(models_dir=str(copied_models)))


def test_a_limit_that_leaves_no_memory_for_work_stops_the_start():
    process = start(MEMORY_LIMIT_MB="40")
    log, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "too small" in json.loads(log.splitlines()[-1])["reason"]
