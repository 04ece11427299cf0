"""What ships can be trained further."""

from pathlib import Path

import cv2
import onnxruntime
import pytest
import torch
from torch import nn

from training.detector import networks, shipped
from training.detector.export import export
from training.detector.shipped import from_onnx

ROOT = Path(__file__).parents[3]
FILE, SAMPLE = ROOT / "models/yolo11n-seg-holds.onnx", ROOT / "assets/sample-wall.jpg"
PICTURES = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def noise_for_photos(monkeypatch):
    """Norms measured on noise: whatever they see, they must undo what they normalize by."""
    monkeypatch.setattr(shipped, "_pictures", lambda: PICTURES)


def said(file, pictures):
    return torch.from_numpy(onnxruntime.InferenceSession(str(file)).run(["output0"], {"images": pictures.numpy()})[0])


@pytest.mark.usefixtures("noise_for_photos")
@torch.no_grad()
def test_it_says_what_the_file_says(tmp_path):
    fresh = networks.build(networks.SHIPPED).eval()
    for name, parameter in fresh.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter)  # equal constants would be stored once, by one of their names
    export(fresh, tmp_path / "exact.onnx", checked_sides_px=())
    network = from_onnx(tmp_path / "exact.onnx", networks.SHIPPED)
    assert network.training
    (found, _), _ = network.eval()(PICTURES)
    torch.testing.assert_close(found, said(tmp_path / "exact.onnx", PICTURES), atol=0.02, rtol=1e-3)


@pytest.mark.usefixtures("noise_for_photos")
@torch.no_grad()
def test_what_ships_quantized_comes_back_as_what_it_stands_for():
    photo = cv2.resize(cv2.imread(str(SAMPLE)), (320, 416), interpolation=cv2.INTER_AREA)[..., ::-1]
    picture = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float() / 255
    (found, _), _ = from_onnx(FILE, networks.SHIPPED).eval()(picture)
    scores, wanted = (rows[0, 4:6].max(0).values for rows in (found, said(FILE, picture)))
    assert (wanted > 0.5).sum() > 30
    assert (scores - wanted)[wanted > 0.5].abs().mean() < 0.05


@pytest.mark.usefixtures("noise_for_photos")
@torch.no_grad()
def test_training_goes_on_where_it_stopped():
    """Normalized by the batch that the norms were measured on, the network says nearly the same as without."""
    network = from_onnx(FILE, networks.SHIPPED)
    as_trained = network(PICTURES)["scores"]
    network.eval()
    plain = network(PICTURES)[1]["scores"]
    assert (as_trained - plain).abs().mean() < 0.05 * plain.abs().mean()


def test_another_architecture_is_refused():
    with pytest.raises(ValueError, match="no file of yolo11w38-seg"):
        from_onnx(FILE, "yolo11w38-seg")
