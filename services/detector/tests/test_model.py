import threading

import numpy as np
import pytest
from detector.model import HoldNetwork
from servicekit.cancel import Cancelled, CancelToken
from visionkit.errors import ModelError
from visionkit.session import TensorSpec


class FakeSession:
    """A session whose outputs the test gives."""

    def __init__(self, rows=38, planes=32, inputs=("images",), outputs=("output0", "output1")):
        self.inputs = {name: TensorSpec((1, 3, 64, 64), np.dtype(np.float32)) for name in inputs}
        self.outputs = list(outputs)
        self.is_fixed = True
        arrays = {"output0": np.zeros((1, rows, 84), np.float32), "output1": np.ones((1, planes, 16, 16), np.float32)}
        self.arrays = [arrays.get(name, np.zeros(1)) for name in outputs]
        self.release = None

    def run(self, feeds, *, token=None):
        if self.release is not None:
            remove = token.on_cancel(self.release.set)
            assert self.release.wait(5)
            remove()
            token.raise_if_cancelled()
        return self.arrays


def test_outputs_are_told_apart_by_name():
    predictions, prototypes = HoldNetwork(FakeSession(outputs=("output1", "output0")))(np.zeros((1, 3, 64, 64)))
    assert predictions.shape == (38, 84)
    assert prototypes.shape == (32, 16, 16)


@pytest.mark.parametrize(
    "wrong", [{"rows": 116}, {"planes": 16}, {"inputs": ("x",)}, {"inputs": ("images", "x")}, {"outputs": ("output0",)}]
)
def test_other_networks_stop_the_start(wrong):
    with pytest.raises(ModelError, match="hold"):
        HoldNetwork(FakeSession(**wrong))


def test_a_picture_is_shown_in_its_own_shape_unless_the_network_has_only_one():
    session = FakeSession()
    assert HoldNetwork(session).canvas_wh(4032, 3024, 640) == (640, 640)
    session.is_fixed = False
    assert HoldNetwork(session).canvas_wh(4032, 3024, 640) == (736, 544)


def test_a_cancelled_token_ends_the_run():
    session = FakeSession()
    network = HoldNetwork(session)
    session.release = threading.Event()
    token = CancelToken()
    timer = threading.Timer(0.05, token.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        network(np.zeros((1, 3, 64, 64), np.float32), token)
    timer.join()
