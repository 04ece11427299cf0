"""The parameters that requests may have."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta
from servicekit.limits import MAX_HOLDS
from servicekit.palettes import MAX_COLORS, MAX_NAME_CHARS, MAX_PROMPT_CHARS

from gateway import domain
from gateway.web import callers_palette, parameters

_MAX_DEADLINE_MS = 600_000
MAX_PALETTE_CHARS = MAX_COLORS * (MAX_NAME_CHARS + MAX_PROMPT_CHARS + 2)


class AnalyzeQuery(msgspec.Struct, frozen=True):
    """What to look for in a photo."""

    max_holds: (
        Annotated[int, Meta(ge=1, le=MAX_HOLDS, description="At most this many holds, the largest areas first chosen.")]
        | None
    ) = None
    min_confidence: Annotated[float, Meta(ge=0.01, le=1, description="Only holds at least this confident.")] | None = (
        None
    )
    min_holds: Annotated[
        int, Meta(ge=domain.MIN_HOLDS_FROM, le=domain.MIN_HOLDS_TO, description="Fewer holds give no problem.")
    ] = domain.MIN_HOLDS
    palette: Annotated[
        str,
        Meta(
            max_length=MAX_PALETTE_CHARS,
            description="Colors to name holds by instead of the colorizer's own, at most 64, separated by commas. "
            "Each is a name, or a name, a colon and what to look for in words.",
            examples=["red,mint,neon yellow,wood:a hold of bare wood"],
        ),
    ] = ""

    def options(self) -> domain.Options:
        """The same for the analysis.

        Raises:
            InvalidParameter: The palette cannot be used.
        """
        palette = callers_palette.parse(self.palette)
        return domain.Options(self.max_holds, self.min_confidence, self.min_holds, palette)


NAMES: Final = AnalyzeQuery.__struct_fields__
"""The parameters that may also be fields of a form."""


def options(query: bytes, fields: parameters.Pairs = ()) -> domain.Options:
    """What a request asks for in its query and its form's fields; each parameter comes once, in the one or the other.

    Raises:
        InvalidParameter: One is unknown, out of range, or given twice, or the palette cannot be used.
    """
    return parameters.read([*parameters.pairs_of(query), *fields], AnalyzeQuery).options()


class AnalyzeHeaders(msgspec.Struct, frozen=True, rename="kebab"):
    """How long the caller waits."""

    x_request_deadline_ms: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=_MAX_DEADLINE_MS,
                description="Milliseconds from the request's arrival by which it is answered, upload included.",
            ),
        ]
        | None
    ) = None


class FollowHeaders(msgspec.Struct, frozen=True, rename="kebab"):
    """Where the caller left off."""

    last_event_id: Annotated[int, Meta(ge=0, description="Tell only what came after this event.")] = 0
