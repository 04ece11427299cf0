"""What both faces of the gateway share."""

from dataclasses import dataclass

from servicekit.server import Lifecycle

from gateway.admission import Admission
from gateway.feedback_store import FeedbackStore
from gateway.keys import Keyring
from gateway.pipeline import Analyzer
from gateway.settings import GatewaySettings
from gateway.tally import Tally
from gateway.upstream import Colorizer
from gateway.watch import Watch


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of a running gateway, put together once at its start."""

    settings: GatewaySettings
    lifecycle: Lifecycle
    admission: Admission
    analyzer: Analyzer
    colorizer: Colorizer
    watch: Watch
    tally: Tally
    keyring: Keyring
    feedback: FeedbackStore
    version: str

    @property
    def ready(self) -> bool:
        """Whether new photos are welcome: not draining, and the dependencies are there."""
        return self.lifecycle.ready and self.watch.ready
