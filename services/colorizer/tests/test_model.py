import numpy as np
import onnx
import pytest
from colorizer.model import ImageTower
from onnx import TensorProto, helper
from servicekit.cancel import Cancelled, CancelToken
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.pressure import Pressure
from visionkit.errors import ModelError

BATCH, SIDE_PX = 4, 8  # of the toy tower


def crops(count: int) -> list[np.ndarray]:
    return [np.full((SIDE_PX, SIDE_PX, 3), (20 + i, 40, 60), np.uint8) for i in range(count)]


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_any_number_of_crops_gives_one_embedding_each_in_order(toy_tower, count):
    colors = np.array([[20 + i, 40, 60] for i in range(count)], np.float32).reshape(-1, 3)
    expected = colors / np.linalg.norm(colors, axis=1, keepdims=True)
    embeddings = toy_tower.embed(crops(count))
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (count, 3)
    np.testing.assert_allclose(embeddings, expected, atol=1e-6)


def test_a_crop_is_embedded_alike_alone_and_in_a_batch(toy_tower):
    np.testing.assert_array_equal(toy_tower.embed(crops(BATCH))[:1], toy_tower.embed(crops(1)))


def test_a_cancelled_caller_gets_no_embeddings(toy_tower):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        toy_tower.embed(crops(1), token=token)
    assert len(toy_tower.embed(crops(1))) == 1  # and leaves the tower usable


def test_the_side_and_the_length_come_from_the_network(toy_tower):
    assert (toy_tower.side_px, toy_tower.dim) == (SIDE_PX, 3)


@pytest.mark.parametrize(
    ("name", "dtype", "shape"),
    [
        ("images", TensorProto.UINT8, ["batch", 8, 8, 3]),
        ("crops", TensorProto.FLOAT, ["batch", 8, 8, 3]),
        ("crops", TensorProto.UINT8, ["batch", 3, 8, 8]),
        ("crops", TensorProto.UINT8, ["batch", 8, 16, 3]),
        ("crops", TensorProto.UINT8, ["batch", 8, 8]),
    ],
)
def test_another_kind_of_network_stops_the_start(tmp_path, name, dtype, shape):
    output = helper.make_tensor_value_info("embeddings", dtype, shape)
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], ["embeddings"])],
        "other",
        [helper.make_tensor_value_info(name, dtype, shape)],
        [output],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "other.onnx"
    )
    with pytest.raises(ModelError, match=r"other\.onnx"):
        ImageTower(tmp_path / "other.onnx", batch_size=2, threads=1)


def test_while_memory_is_tight_batches_are_smaller_and_the_embeddings_are_the_same(toy_tower_path):
    crops = [np.full((8, 8, 3), shade, np.uint8) for shade in range(20, 220, 20)]
    meter, steps = MemoryMeter(MemoryLimit(100, None)), []
    meter.pinned_bytes = lambda: 50
    tower = ImageTower(toy_tower_path, batch_size=4, threads=1, pressure=Pressure(meter, steps.append))
    usual = tower.embed(crops)
    assert steps == []
    meter.pinned_bytes = lambda: 85
    np.testing.assert_array_equal(tower.embed(crops), usual)
    assert steps.count("small_batches") == len(crops)
