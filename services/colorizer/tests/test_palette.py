import numpy as np
import pytest
from colorizer import palette
from visionkit.errors import ModelError


def fields(**changed):
    return {
        "names": np.array(["red", "blue"]),
        "prompts": np.array(["a red hold", "a blue hold"]),
        "display_rgb": np.zeros((2, 3), np.uint8),
        "embeddings": np.eye(2, dtype=np.float32),
        "logit_scale": np.float32(20),
        "min_confidence": np.float32(0.4),
    } | changed


def test_a_palette_is_read_as_it_was_written(tmp_path):
    np.savez(tmp_path / "palette.npz", **fields())
    loaded = palette.load(tmp_path / "palette.npz")
    assert loaded.choice.names == ("red", "blue")
    assert loaded.prompts == ("a red hold", "a blue hold")
    assert loaded.choice.logit_scale == 20.0
    assert loaded.choice.min_confidence == pytest.approx(0.4)


@pytest.mark.parametrize(
    "changed",
    [
        {"names": np.array([], dtype=str)},
        {"names": np.array(["red"])},
        {"embeddings": np.zeros(2, np.float32)},
        {"names": np.array(["red", "unknown"])},
        {"names": np.array(["red", None], dtype=object)},
    ],
)
def test_arrays_that_do_not_belong_together_stop_the_start(tmp_path, changed):
    np.savez(tmp_path / "palette.npz", **fields(**changed))
    with pytest.raises(ModelError, match=r"palette\.npz"):
        palette.load(tmp_path / "palette.npz")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_another_file_stops_the_start(tmp_path, content):
    (tmp_path / "palette.npz").write_bytes(content)
    with pytest.raises(ModelError, match="not a palette"):
        palette.load(tmp_path / "palette.npz")
