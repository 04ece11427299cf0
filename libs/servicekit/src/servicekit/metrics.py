"""Prometheus metrics of a service."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from servicekit.activity import Activity
from servicekit.levels import level_of
from servicekit.memory import MemoryMeter
from servicekit.receipts import Stage

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics that every service has, in a registry of their own, and how calls went lately.

    Attributes:
        activity: What monitors show; Prometheus works that out by itself.
    """

    def __init__(self, memory: MemoryMeter) -> None:
        self.registry = CollectorRegistry()
        self.activity = Activity()
        self.in_flight = Gauge("climbmate_rpc_in_flight", "Calls being served now.", registry=self.registry)
        self._calls = Histogram(
            "climbmate_rpc_seconds",
            "Duration of calls by method and outcome (OK, an error reason, or CANCELLED).",
            ("method", "outcome"),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._stages = Histogram(
            "climbmate_stage_seconds", "Duration of stages.", ("stage",), buckets=_BUCKETS_S, registry=self.registry
        )
        self._stage_memory = Gauge(
            "climbmate_stage_memory_bytes",
            "Working set before and after the last run of a stage.",
            ("stage", "when"),
            registry=self.registry,
        )
        self._steps = Counter(
            "climbmate_pressure_steps",
            "How often less memory was taken because it was tight, by step.",
            ("step",),
            registry=self.registry,
        )
        self._watch(memory)

    def _watch(self, memory: MemoryMeter) -> None:
        used = Gauge("climbmate_memory_used_bytes", "Working set.", registry=self.registry)
        used.set_function(memory.used_bytes)
        limit = Gauge("climbmate_memory_limit_bytes", "Memory limit; 0 for none.", registry=self.registry)
        limit.set_function(lambda: memory.limit_bytes)
        floor = Gauge("climbmate_memory_floor_bytes", "Working set after warm-up.", registry=self.registry)
        floor.set_function(lambda: memory.floor_bytes)
        level = Gauge(
            "climbmate_memory_level",
            "0 normal, 1 elevated (60 % of the limit), 2 high (80 %), 3 critical (90 %).",
            registry=self.registry,
        )
        level.set_function(lambda: level_of(memory.used_bytes(), memory.limit_bytes))

    def count_step(self, step: str) -> None:
        """Count one step that was taken because memory was tight."""
        self._steps.labels(step).inc()

    def record_call(self, method: str, outcome: str, duration_s: float, stages: Iterable[Stage]) -> None:
        """Count one finished call and its stages."""
        self._calls.labels(method, outcome).observe(duration_s)
        self.activity.record(outcome, duration_s)
        for stage in stages:
            self._stages.labels(stage.name).observe(stage.duration_ms / 1000)
            self._stage_memory.labels(stage.name, "before").set(stage.memory_before_bytes)
            self._stage_memory.labels(stage.name, "after").set(stage.memory_after_bytes)
