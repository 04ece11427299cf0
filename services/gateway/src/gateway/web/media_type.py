"""What a request says its body is, and whether that is taken."""

from servicekit.errors import UnsupportedFormat
from starlette.datastructures import Headers

FORM = "multipart/form-data"
_SHOWN_CHARACTERS = 64  # of what a caller sent


def check(headers: Headers, *accepted: str) -> str:
    """Give the body's media type without its parameters, in lower case.

    Args:
        headers: The request's.
        accepted: Media types; `image/*` stands for all images.

    Raises:
        UnsupportedFormat: It is none of these, or the body is encoded (RFC 9110, section 8.4); `details` names the
            header and what it says.
    """
    for coding in headers.getlist("content-encoding"):
        if coding.strip().lower() not in ("", "identity"):
            raise _unsupported("Send the body as it is, without a Content-Encoding.", "content-encoding", coding)
    kinds = headers.getlist("content-type")
    kind = kinds[0].partition(";")[0].strip().lower() if len(kinds) == 1 else ""
    if not any(_fits(kind, one) for one in accepted):
        raise _unsupported(f"Send {' or '.join(accepted)}.", "content-type", ", ".join(kinds) or "missing")
    return kind


def _fits(kind: str, accepted: str) -> bool:
    return kind.startswith(accepted[:-1]) if accepted.endswith("/*") else kind == accepted


def _unsupported(message: str, header: str, value: str) -> UnsupportedFormat:
    return UnsupportedFormat(message, details={header: value[:_SHOWN_CHARACTERS]})
