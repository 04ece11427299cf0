"""What ships can be trained further."""

from pathlib import Path

import onnxruntime
import pytest
import torch

from training.detector import networks, shipped
from training.detector.shipped import from_onnx

FILE = Path(__file__).parents[3] / "models/yolo11n-seg-holds.onnx"
PICTURES = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def noise_for_photos(monkeypatch):
    """Norms measured on noise: whatever they see, they must undo what they normalize by."""
    monkeypatch.setattr(shipped, "_pictures", lambda: PICTURES)


@pytest.mark.usefixtures("noise_for_photos")
@torch.no_grad()
def test_it_says_what_the_file_says():
    network = from_onnx(FILE, networks.SHIPPED)
    assert network.training
    session = onnxruntime.InferenceSession(str(FILE))
    wanted = session.run(["output0"], {"images": PICTURES.numpy()})[0]
    (found, _), _ = network.eval()(PICTURES)
    torch.testing.assert_close(found, torch.from_numpy(wanted), atol=0.02, rtol=1e-3)


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
    with pytest.raises(ValueError, match="no float32 file of yolo11w38-seg"):
        from_onnx(FILE, "yolo11w38-seg")
