"""What a photo's bytes claim, read before any memory is spent on its pixels."""

from collections.abc import Callable

from servicekit.errors import ImageTooLarge, InvalidImage, UnsupportedFormat
from servicekit.formats import is_heic

from visionkit.container import heic, jpeg, png, webp
from visionkit.photo import PhotoHeader

__all__ = ["PhotoHeader", "ensure_within", "probe"]

Matches = Callable[[bytes], bool]
ReadHeader = Callable[[bytes], PhotoHeader]

_FORMATS: tuple[tuple[Matches, ReadHeader], ...] = (
    (lambda data: data.startswith(jpeg.START), jpeg.read_header),
    (lambda data: data.startswith(png.START), png.read_header),
    (webp.matches, webp.read_header),
    (is_heic, heic.read_header),
)


def probe(data: bytes) -> PhotoHeader:
    """Read a photo's header; decodes nothing and copies no more than the header's segments.

    The format is known by the first bytes. Sizes are reported as claimed, however large: see `ensure_within`.

    Raises:
        UnsupportedFormat: Not a JPEG, PNG, WebP or HEIC photo, or a rare kind of one (animated, lossless JPEG).
        InvalidImage: There are no bytes, or the header is damaged or truncated.
    """
    if not data:
        raise InvalidImage("The photo is empty.")
    for matches, read_header in _FORMATS:
        if matches(data):
            return read_header(data)
    raise UnsupportedFormat("The file is not a JPEG, PNG, WebP or HEIC photo.")


def ensure_within(header: PhotoHeader, max_pixels: int) -> None:
    """Refuse a photo of more than `max_pixels`, shown or decoded, before it is decoded: they take time.

    Raises:
        ImageTooLarge: With `width`, `height`, `decoded_pixels` and `max_pixels` as details.
    """
    decoded = max(header.pixels, header.decoded_pixels)
    if decoded > max_pixels:
        raise ImageTooLarge(
            f"The photo has {header.width} x {header.height} pixels, of {decoded} to decode; "
            f"at most {max_pixels} are accepted.",
            details={
                "width": str(header.width),
                "height": str(header.height),
                "decoded_pixels": str(decoded),
                "max_pixels": str(max_pixels),
            },
        )
