"""One ONNX network on the CPU: few known shapes, explicit threads, cancellable runs."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from servicekit.cancel import Cancelled, CancelToken
from servicekit.pressure import Pressure

from visionkit.errors import ModelError

Array = NDArray[Any]
Sizes = Mapping[str, Sequence[int]]

_LOG_ERRORS = 3
_LOG_FATAL = 4  # a terminated run reports itself as an error; we raise it, so the log need not repeat it
_LOOK_UP_S = 0.05
_RETURN_ARENA = ("memory.enable_memory_arena_shrinkage", "cpu:0")
_DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class TensorSpec(NamedTuple):
    """Shape and dtype of a network's input; every dimension is a number."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class OnnxModel:
    """A loaded network.

    `run` may be called from several threads, and lets one run at a time: each run in flight would make the arena grow
    by what one run needs, for good (YOLO11n-seg at 640 px: 55 MB).

    Args:
        path: The .onnx file.
        threads: Threads that one run uses, the caller's among them. ONNX Runtime would count the node's cores,
            not the pod's.
        dims: Values for the network's named dimensions, such as {"batch": 1}, fixed at load. Names that it lacks are
            ignored, here and in `sizes`.
        sizes: For dimensions that stay open the values that they may take, the usual one first, such as
            {"height": (640, 320), "width": (640, 320)}. ONNX Runtime's memory grows to what the largest
            needs. On YOLO11n-seg at 640 px this takes 32 MB less than a fixed size, in the same time.
        pressure: Where memory is tight by its word, each run gives the arena's memory back, which costs some
            milliseconds; None for never.
        optimize: Whether ONNX Runtime rewrites the network for speed; a network that is loaded for a few runs takes a
            third less memory as it is.

    Raises:
        ModelError: The file cannot be loaded or a dimension stays open.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        dims: Mapping[str, int],
        sizes: Sizes | None = None,
        pressure: Pressure | None = None,
        optimize: bool = True,
    ) -> None:
        self._path = path
        self._pressure = pressure
        self._running = threading.Lock()
        options = _options(threads, dims)
        if not optimize:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = _load(path, options)
        nodes = self._session.get_inputs()
        self._inputs = {node.name: _usual_spec(path, node, sizes or {}) for node in nodes}
        self._allowed = {node.name: [_allowed(dim, sizes or {}) for dim in node.shape] for node in nodes}
        self._outputs = [node.name for node in self._session.get_outputs()]

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """Usual shape and dtype by input name, in the network's order."""
        return self._inputs

    @property
    def is_fixed(self) -> bool:
        """Whether the inputs have one shape only."""
        return all(len(lengths) == 1 for allowed in self._allowed.values() for lengths in allowed)

    @property
    def outputs(self) -> list[str]:
        """Names of the arrays that `run` returns, in that order."""
        return self._outputs

    def run(self, feeds: Mapping[str, Array], *, token: CancelToken | None = None) -> list[Array]:
        """Run once; releases the GIL meanwhile.

        Args:
            feeds: One array for every input, in an allowed shape and its dtype. C-contiguous arrays are not copied.
            token: Cancelling it ends the run at the next operator of the network.

        Returns:
            The outputs in the order of `outputs`; owned by the caller.

        Raises:
            ValueError: `feeds` does not fit `inputs`.
            Cancelled: The token was cancelled before the outputs were there.
        """
        self._check(feeds)
        options = ort.RunOptions()
        options.log_severity_level = _LOG_FATAL
        with self._turn(token), _terminated_by(token, options):
            if self._pressure is not None and self._pressure.tight():
                options.add_run_config_entry(*_RETURN_ARENA)
                self._pressure.count("network_memory_returned")
            outputs: list[Array] = self._session.run(self._outputs, dict(feeds), options)
            # They lie in the arena. Held while the next run begins, they would make it grow by as much, for good
            # (YOLO11n-seg at 704 px: 8 MB).
            return [output.copy() for output in outputs]

    def warm_up(self) -> None:
        """Run once on zeros: memory and caches reach their working size before the first request."""
        self.run({name: np.zeros(spec.shape, spec.dtype) for name, spec in self._inputs.items()})

    @contextmanager
    def _turn(self, token: CancelToken | None) -> Iterator[None]:
        """Wait until no other run is going on; who is cancelled meanwhile goes."""
        while not self._running.acquire(timeout=_LOOK_UP_S):
            if token is not None:
                token.raise_if_cancelled()
        try:
            yield
        finally:
            self._running.release()

    def _check(self, feeds: Mapping[str, Array]) -> None:
        if feeds.keys() != self._inputs.keys():
            raise ValueError(f"{self._path.name} takes {sorted(self._inputs)}, got {sorted(feeds)}")
        for name, spec in self._inputs.items():
            got = feeds[name]
            allowed = self._allowed[name]
            fits = len(got.shape) == len(allowed) and all(map(_is_in, got.shape, allowed))
            if not fits or got.dtype != spec.dtype:
                raise ValueError(
                    f"{self._path.name}: {name} takes {spec.dtype} {spec.shape}, got {got.dtype} {got.shape}"
                )


def _options(threads: int, dims: Mapping[str, int]) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _LOG_ERRORS
    # Idle workers sleep. Awake between operators, they make a run a little faster where nothing else runs, and much
    # slower beside a busy process, and they take the cores from the other services.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Measured on YOLO11n-seg at 640 px, one run at a time (MB above the process, CPU ms a run): arena alone 91, 56;
    # arena and pattern 145, 56; neither 150 and growing with the allocator's mood, 67. Shapes are fixed, so that the
    # arena stays at what the warm-up took.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False
    for name, size in dims.items():
        options.add_free_dimension_override_by_name(name, size)
    return options


def _load(path: Path, options: ort.SessionOptions) -> ort.InferenceSession:
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no base class
        raise ModelError(f"{path} cannot be loaded: {str(error).splitlines()[0]}") from error


def _usual_spec(path: Path, node: ort.NodeArg, sizes: Sizes) -> TensorSpec:
    shape = [_allowed(dim, sizes)[:1] for dim in node.shape]
    still_open = [dim for dim, usual in zip(node.shape, shape, strict=True) if not usual]
    if still_open:
        raise ModelError(f"{path}: dimensions {still_open} of input {node.name} have no fixed size")
    if node.type not in _DTYPES:
        raise ModelError(f"{path}: input {node.name} is a {node.type}, which is not supported")
    return TensorSpec(tuple(usual for (usual,) in shape), np.dtype(_DTYPES[node.type]))


def _allowed(dim: int | str | None, sizes: Sizes) -> Sequence[int]:
    """What a dimension may be; nothing for one that has no size."""
    return (dim,) if isinstance(dim, int) else sizes.get(str(dim), ())


def _is_in(size: int, allowed: Sequence[int]) -> bool:
    return size in allowed


@contextmanager
def _terminated_by(token: CancelToken | None, options: ort.RunOptions) -> Iterator[None]:
    """Let the token end the run that uses `options`, and say so with Cancelled."""
    if token is None:
        yield
        return
    remove = token.on_cancel(lambda: setattr(options, "terminate", True))
    try:
        token.raise_if_cancelled()
        yield
    except ort_errors.Fail:
        if token.cancelled:
            raise Cancelled from None
        raise
    finally:
        remove()
