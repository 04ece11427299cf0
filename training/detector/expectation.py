"""Box distances without their softmax, which takes ONNX Runtime a twelfth of a look at a photo.

A distance is the mean of 0 to 15, weighted by the softmax of 16 logits: the weighted sum of their exponentials over the
plain sum. Both sums are one convolution.
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

FARTHEST = 80.0
"""Logits beyond are taken for this, so that no sum overflows or vanishes; the head's lie within 20."""


def without_softmax(model: onnx.ModelProto) -> None:
    """Replace the softmax before the head's fixed convolution, and that convolution, in place.

    A network whose head has none, such as YOLO26's, stays as it is.
    """
    nodes = model.graph.node
    place = next((i for i, node in enumerate(nodes) if node.name.endswith("/dfl/Softmax")), None)
    if place is None:
        return
    softmax = nodes[place]
    prefix = softmax.name.removesuffix("Softmax")
    mean = next(node for node in nodes if node.input and node.input[0] == softmax.output[0])
    steps = next(tensor for tensor in model.graph.initializer if tensor.name == mean.input[1])
    ranks = numpy_helper.to_array(steps)
    model.graph.initializer.remove(steps)
    sums = np.concatenate([ranks, np.ones_like(ranks)])
    for name, value in (("lowest", -FARTHEST), ("highest", FARTHEST), ("sums", sums)):
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), prefix + name))
    new = [
        helper.make_node("Clip", [softmax.input[0], prefix + "lowest", prefix + "highest"], [prefix + "logits"]),
        helper.make_node("Exp", [prefix + "logits"], [prefix + "weights"]),
        helper.make_node("Conv", [prefix + "weights", prefix + "sums"], [prefix + "both"]),
        helper.make_node("Split", [prefix + "both"], [prefix + "weighted", prefix + "plain"], axis=1),
        helper.make_node("Div", [prefix + "weighted", prefix + "plain"], [mean.output[0]]),
    ]
    for node in new:
        node.name = prefix + node.op_type
    nodes.remove(mean)
    nodes.remove(softmax)
    for offset, node in enumerate(new):
        nodes.insert(place + offset, node)
