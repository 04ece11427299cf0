"""Client of climbmate: send photos of climbing walls, get holds, colors and problems.

Example:
    >>> from climbmate_client import Client
    >>> analysis = Client(url).analyze("wall.jpg")
    >>> for problem in analysis.problems:
    ...     print(f"{problem.id}: {problem.hold_count} holds")
    red-1: 3 holds
"""

from climbmate_client.answers import (
    Analysis,
    Color,
    ColorGuess,
    Health,
    Hold,
    Image,
    Memory,
    PaletteColor,
    Problem,
    ServiceHealth,
)
from climbmate_client.errors import ClimbmateError, NotClimbmate, RefusedError, Unreachable
from climbmate_client.events import ColorsFound, Event, HoldColored, HoldsFound, Progress
from climbmate_client.grpc_client import GrpcClient
from climbmate_client.http import Client
from climbmate_client.http_async import AsyncClient
from climbmate_client.retry import Retry

__all__ = [
    "Analysis",
    "AsyncClient",
    "Client",
    "ClimbmateError",
    "Color",
    "ColorGuess",
    "ColorsFound",
    "Event",
    "GrpcClient",
    "Health",
    "Hold",
    "HoldColored",
    "HoldsFound",
    "Image",
    "Memory",
    "NotClimbmate",
    "PaletteColor",
    "Problem",
    "Progress",
    "RefusedError",
    "Retry",
    "ServiceHealth",
    "Unreachable",
]
