import threading
import time

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from servicekit.cancel import Cancelled, CancelToken
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.pressure import Pressure
from visionkit.errors import ModelError
from visionkit.session import OnnxModel

OPSET = [helper.make_opsetid("", 17)]


def save(graph, path):
    onnx.save(helper.make_model(graph, opset_imports=OPSET, ir_version=9), path)
    return path


@pytest.fixture
def resizable(tmp_path):
    """doubled, negated = 2 * images, -images; named batch, height and width."""
    shape = ["batch", 3, "height", "width"]
    graph = helper.make_graph(
        [helper.make_node("Add", ["images", "images"], ["doubled"]), helper.make_node("Neg", ["images"], ["negated"])],
        "resizable",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("negated", "doubled")],
    )
    return save(graph, tmp_path / "resizable.onnx")


@pytest.fixture
def endless(tmp_path):
    """Multiplies a matrix by itself for hours."""
    matrix = [64, 64]
    body = helper.make_graph(
        [helper.make_node("MatMul", ["old", "old"], ["new"]), helper.make_node("Identity", ["go"], ["go_on"])],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("old", TensorProto.FLOAT, matrix),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("new", TensorProto.FLOAT, matrix),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["steps", "yes", "matrix"], ["power"], body=body)],
        "endless",
        [helper.make_tensor_value_info("matrix", TensorProto.FLOAT, matrix)],
        [helper.make_tensor_value_info("power", TensorProto.FLOAT, matrix)],
        [
            helper.make_tensor("steps", TensorProto.INT64, [], [10**12]),
            helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
        ],
    )
    return save(graph, tmp_path / "endless.onnx")


DIMS = {"batch": 1, "height": 4, "width": 6}
IMAGES = np.arange(72, dtype=np.float32).reshape(1, 3, 4, 6)
MATRIX = np.zeros((64, 64), np.float32)


@pytest.fixture
def model(resizable):
    return OnnxModel(resizable, threads=1, dims=DIMS)


def test_named_dimensions_are_fixed_at_load(model):
    assert list(model.inputs) == ["images"]
    shape, dtype = model.inputs["images"]
    assert shape == (1, 3, 4, 6)
    assert dtype == np.float32


def test_outputs_come_in_the_declared_order(model):
    assert model.outputs == ["negated", "doubled"]
    negated, doubled = model.run({"images": IMAGES})
    np.testing.assert_array_equal(negated, -IMAGES)
    np.testing.assert_array_equal(doubled, 2 * IMAGES)


def test_a_network_left_as_it_is_gives_the_same_answer(resizable):
    images = np.arange(3 * 4 * 5, dtype=np.float32).reshape(1, 3, 4, 5)
    dims = {"batch": 1, "height": 4, "width": 5}
    as_it_is = OnnxModel(resizable, threads=1, dims=dims, optimize=False).run({"images": images})
    for one, other in zip(as_it_is, OnnxModel(resizable, threads=1, dims=dims).run({"images": images}), strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_runs_do_not_share_their_outputs(model):
    (first, _), (second, _) = model.run({"images": IMAGES}), model.run({"images": IMAGES + 1})
    np.testing.assert_array_equal(first, -IMAGES)
    np.testing.assert_array_equal(second, -IMAGES - 1)


def test_a_warm_up_runs_the_fixed_shape(model):
    model.warm_up()


@pytest.mark.parametrize(
    ("feeds", "complaint"),
    [
        ({}, r"takes \['images'\], got \[\]"),
        ({"images": IMAGES, "more": IMAGES}, "more"),
        ({"images": IMAGES[0]}, r"float32 \(1, 3, 4, 6\), got float32 \(3, 4, 6\)"),
        ({"images": IMAGES.astype(np.float64)}, "got float64"),
    ],
)
def test_feeds_that_do_not_fit_are_refused_by_name(model, feeds, complaint):
    with pytest.raises(ValueError, match=complaint):
        model.run(feeds)


@pytest.mark.parametrize("dims", [{}, {"batch": 1, "height": 4}, {"batch": 1, "height": 4, "wide": 6}])
def test_a_dimension_left_open_stops_the_start(resizable, dims):
    with pytest.raises(ModelError, match=r"resizable.onnx: dimensions .*'width'.* of input images"):
        OnnxModel(resizable, threads=1, dims=dims)


@pytest.mark.parametrize("content", [b"", b"not a network", None])
def test_a_file_that_is_no_network_stops_the_start_with_one_line(tmp_path, content):
    path = tmp_path / "broken.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken.onnx cannot be loaded") as raised:
        OnnxModel(path, threads=1, dims={})
    assert "\n" not in str(raised.value)


def test_an_input_of_an_unknown_type_stops_the_start(tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Identity", ["words"], ["same"])],
        "words",
        [helper.make_tensor_value_info("words", TensorProto.STRING, [1])],
        [helper.make_tensor_value_info("same", TensorProto.STRING, [1])],
    )
    with pytest.raises(ModelError, match=r"tensor\(string\)"):
        OnnxModel(save(graph, tmp_path / "words.onnx"), threads=1, dims={})


def test_a_token_that_is_already_cancelled_runs_nothing(endless):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        OnnxModel(endless, threads=1, dims={}).run({"matrix": MATRIX}, token=token)


def test_a_cancelled_run_ends_within_a_second_and_the_model_lives_on(endless, capfd):
    model, token = OnnxModel(endless, threads=1, dims={}), CancelToken()
    threading.Timer(0.2, token.cancel).start()
    started = time.perf_counter()
    with pytest.raises(Cancelled):
        model.run({"matrix": MATRIX}, token=token)
    assert 0.15 < time.perf_counter() - started < 1.2
    assert capfd.readouterr().err == ""
    other = CancelToken()
    threading.Timer(0.2, other.cancel).start()
    with pytest.raises(Cancelled):
        model.run({"matrix": MATRIX}, token=other)


def test_runs_take_turns_and_who_is_cancelled_while_waiting_leaves_at_once(endless):
    model, running, waiting, ends = OnnxModel(endless, threads=1, dims={}), CancelToken(), CancelToken(), []

    def run(name, token):
        with pytest.raises(Cancelled):
            model.run({"matrix": MATRIX}, token=token)
        ends.append(name)

    first = threading.Thread(target=run, args=("running", running))
    second = threading.Thread(target=run, args=("waiting", waiting))
    first.start()
    time.sleep(0.1)
    second.start()
    time.sleep(0.1)
    waiting.cancel()
    second.join(0.5)
    assert ends == ["waiting"]
    running.cancel()
    first.join(1)
    assert ends == ["waiting", "running"]


def test_cancelling_one_run_leaves_the_neighbor_alone(model, endless):
    doomed, token, outcome = OnnxModel(endless, threads=1, dims={}), CancelToken(), []

    def run():
        with pytest.raises(Cancelled):
            doomed.run({"matrix": MATRIX}, token=token)
        outcome.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    neighbor = CancelToken()
    negated, _ = model.run({"images": IMAGES}, token=neighbor)
    token.cancel()
    thread.join(1)
    assert outcome == ["cancelled"]
    assert not neighbor.cancelled
    np.testing.assert_array_equal(negated, -IMAGES)


def test_a_token_forgets_a_run_that_is_over(model):
    token = CancelToken()
    model.run({"images": IMAGES}, token=token)
    token.cancel()
    model.warm_up()


SIZES = {"height": (4, 2), "width": (6, 3)}


def test_a_dimension_with_several_sizes_takes_each_of_them_and_no_other(resizable):
    model = OnnxModel(resizable, threads=1, dims={"batch": 1}, sizes=SIZES)
    assert model.inputs["images"].shape == (1, 3, 4, 6)
    small = IMAGES[:, :, :2, :3].copy()
    np.testing.assert_array_equal(model.run({"images": small})[1], 2 * small)
    np.testing.assert_array_equal(model.run({"images": IMAGES})[1], 2 * IMAGES)
    with pytest.raises(ValueError, match="images takes"):
        model.run({"images": IMAGES[:, :, :3].copy()})


def test_while_memory_is_tight_a_run_gives_the_networks_memory_back_and_the_same_answer(resizable):
    meter, steps = MemoryMeter(MemoryLimit(100, None)), []
    meter.pinned_bytes = lambda: 85
    model = OnnxModel(resizable, threads=1, dims=DIMS, pressure=Pressure(meter, steps.append))
    np.testing.assert_array_equal(model.run({"images": IMAGES})[1], 2 * IMAGES)
    assert steps == ["network_memory_returned"]
    meter.pinned_bytes = lambda: 50
    model.run({"images": IMAGES})
    assert len(steps) == 1
