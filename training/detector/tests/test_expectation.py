import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from training.detector.expectation import without_softmax

SHAPE = (1, 16, 4, 9)


def a_head():
    """The end of a YOLO11's head: softmax over 16 logits, and the mean of 0 to 15."""
    ranks = numpy_helper.from_array(np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1), "ranks")
    nodes = [
        helper.make_node("Softmax", ["logits"], ["shares"], name="/model.23/dfl/Softmax", axis=1),
        helper.make_node("Conv", ["shares", "ranks"], ["mean"], name="/model.23/dfl/conv/Conv"),
    ]
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, (1, 1, 4, 9))],
        [ranks],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model, logits):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"logits": logits})[0]


def test_the_mean_is_the_same():
    model, logits = a_head(), np.random.default_rng(0).normal(0, 8, SHAPE).astype(np.float32)
    wanted = run(model, logits)
    without_softmax(model)
    onnx.checker.check_model(model)
    assert "Softmax" not in {node.op_type for node in model.graph.node}
    np.testing.assert_allclose(run(model, logits), wanted, atol=1e-4)


def test_logits_of_any_size_give_a_number():
    model = a_head()
    without_softmax(model)
    for size in (-1e30, -100, 0, 100, 1e30):
        found = run(model, np.full(SHAPE, size, np.float32))
        np.testing.assert_allclose(found, 7.5, atol=1e-3)


def test_a_network_without_such_a_head_stays_as_it_is():
    model = a_head()
    model.graph.node[0].name = "/model.10/attn/Softmax"
    before = model.SerializeToString()
    without_softmax(model)
    assert model.SerializeToString() == before
