"""What the gateway counts, beside what every service counts."""

from collections.abc import Callable
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram
from servicekit.metrics import Metrics

from gateway.admission import Admission
from gateway.domain import Analysis, Lack

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BUCKETS_HOLDS = (0, 1, 5, 10, 20, 40, 80, 160, 300)


class Tally:
    """Counts requests and analyses in a service's registry."""

    def __init__(self, metrics: Metrics, admission: Admission) -> None:
        registry = metrics.registry
        self._activity = metrics.activity
        self._requests = Histogram(
            "climbmate_http_seconds",
            "Duration of HTTP requests by route and outcome (OK, an error code, or CANCELLED).",
            ("route", "outcome"),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._holds = Histogram("climbmate_holds", "Holds per photo.", buckets=_BUCKETS_HOLDS, registry=registry)
        self._degraded = Counter(
            "climbmate_degraded", "Analyses that lack something, by what they lack.", ("what",), registry=registry
        )
        for lack in get_args(Lack):
            self._degraded.labels(lack)
        self._forgotten = Counter(
            "climbmate_answers_forgotten",
            "Answers whose colors cannot be corrected, because the disk did not take them in time.",
            registry=registry,
        )
        in_flight = Gauge("climbmate_analyses_in_flight", "Analyses being worked on now.", registry=registry)
        in_flight.set_function(lambda: admission.in_flight)
        held = Gauge("climbmate_photo_bytes", "Bytes of photos admitted now.", registry=registry)
        held.set_function(lambda: admission.held_bytes)

        self._registry = registry

    def watch_results(self, told_bytes: Callable[[], float]) -> None:
        """Tell how much memory the results take that are kept to be asked for again."""
        Gauge("climbmate_result_bytes", "Bytes of results kept now.", registry=self._registry).set_function(told_bytes)

    def count_request(self, route: str, outcome: str, duration_s: float, is_activity: bool) -> None:
        """Count one finished HTTP request, by its route's template or `unmatched`, and as one of the gateway's work."""
        self._requests.labels(route, outcome).observe(duration_s)
        if is_activity:
            self._activity.record(outcome, duration_s)

    def count_analysis(self, analysis: Analysis) -> None:
        """Count one finished analysis."""
        self._holds.observe(len(analysis.holds))
        for what in analysis.degraded:
            self._degraded.labels(what).inc()

    def count_forgotten(self) -> None:
        """Count one answer that was not remembered."""
        self._forgotten.inc()
