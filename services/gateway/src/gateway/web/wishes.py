"""What a caller wishes by headers of HTTP, beside the question itself."""

from collections.abc import Iterator

from starlette.datastructures import Headers

SVG = "image/svg+xml"
JSON = "application/json"


def is_async(headers: Headers) -> bool:
    """Whether the caller would rather be given a job than wait (`Prefer: respond-async`, RFC 7240)."""
    return "respond-async" in _items(headers, "prefer")


def is_fresh(headers: Headers) -> bool:
    """Whether the caller wants it computed anew (`Cache-Control: no-cache`)."""
    return "no-cache" in _items(headers, "cache-control")


def is_svg(headers: Headers) -> bool:
    """Whether the caller prefers a drawing to JSON by `Accept`; without a preference the answer is JSON."""
    liked = dict(weighted(headers, "accept"))
    return liked.get(SVG, 0.0) > liked.get(JSON, 0.0)


def weighted(headers: Headers, name: str) -> Iterator[tuple[str, float]]:
    """The items of a header with their weights: `br;q=0.5` is `("br", 0.5)`; a weight that is no number counts as 0."""
    for item in ",".join(headers.getlist(name)).split(","):
        value, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((part.removeprefix("q=") for part in parameters if part.startswith("q=")), "1")
        try:
            yield value, float(weight)
        except ValueError:
            yield value, 0.0


def _items(headers: Headers, name: str) -> set[str]:
    return {value for value, _ in weighted(headers, name)}
