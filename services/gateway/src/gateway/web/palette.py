"""The palette as the gateway last heard it."""

from servicekit.errors import ServiceError

from gateway import domain
from gateway.upstream import Colorizer

_TIMEOUT_S = 1.0


class PaletteSource:
    """The colorizer's palette; the last known one while the colorizer is away."""

    def __init__(self, colorizer: Colorizer) -> None:
        self._colorizer = colorizer
        self._known: tuple[domain.PaletteColor, ...] = ()

    async def get(self) -> tuple[domain.PaletteColor, ...]:
        """Ask for it.

        Raises:
            ServiceError: The colorizer is away, and never was here.
        """
        try:
            self._known = await self._colorizer.palette(timeout_s=_TIMEOUT_S)
        except ServiceError:
            if not self._known:
                raise
        return self._known
