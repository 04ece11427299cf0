"""What can go wrong, as classes.

ClimbmateError
├── Unreachable            nobody answers at the address, or the connection broke
├── NotClimbmate           somebody answers, but not as a climbmate gateway does
└── RefusedError           the gateway refused or failed the request; carries its stable code
    ├── InvalidImage, UnsupportedFormat, InvalidParameter, ImageTooLarge, Unauthenticated, NotFound,
    │   MethodNotAllowed, InvalidRequest, UriTooLong, HeadersTooLarge, Internal
    └── RateLimited, Overloaded, DeadlineExceeded, Unavailable, NotStored      the same request may succeed later
"""

from collections.abc import Mapping


class ClimbmateError(Exception):
    """Anything that this client raises; the text is one line for people."""


class Unreachable(ClimbmateError):
    """No gateway answers at the address."""


class NotClimbmate(ClimbmateError):
    """The answer is not one that a climbmate gateway gives."""


class RefusedError(ClimbmateError):
    """The gateway refused or failed the request.

    Attributes:
        code: The stable code, for example `INVALID_IMAGE`.
        retryable: Whether the same request may succeed later.
        request_id: What to look for in the services' logs; empty when the gateway gave none.
        retry_after_s: When to try again, or None when the gateway did not say.
        details: Facts about this failure, for example the name of the bad parameter.
    """

    code: str = ""
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        request_id: str = "",
        retry_after_s: float | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.details = dict(details or {})


class InvalidImage(RefusedError):
    """The bytes are not a readable photo."""

    code = "INVALID_IMAGE"


class UnsupportedFormat(RefusedError):
    """The photo is none of JPEG, PNG, WebP, HEIC."""

    code = "UNSUPPORTED_FORMAT"


class InvalidParameter(RefusedError):
    """A parameter is missing, malformed or out of range; `details` names it."""

    code = "INVALID_PARAMETER"


class ImageTooLarge(RefusedError):
    """Too many bytes or pixels for this gateway, now and later."""

    code = "IMAGE_TOO_LARGE"


class Unauthenticated(RefusedError):
    """The key is missing or wrong."""

    code = "UNAUTHENTICATED"


class NotFound(RefusedError):
    """Nothing is at this address."""

    code = "NOT_FOUND"


class MethodNotAllowed(RefusedError):
    """The address does not take this HTTP method."""

    code = "METHOD_NOT_ALLOWED"


class InvalidRequest(RefusedError):
    """The bytes were no HTTP request that can be understood."""

    code = "INVALID_REQUEST"


class UriTooLong(RefusedError):
    """The path and the query have too many bytes."""

    code = "URI_TOO_LONG"


class HeadersTooLarge(RefusedError):
    """The headers are too many, or have too many bytes."""

    code = "HEADERS_TOO_LARGE"


class RateLimited(RefusedError):
    """The caller's allowance is spent for now."""

    code = "RATE_LIMITED"
    retryable = True


class Overloaded(RefusedError):
    """The queue or the memory is full now."""

    code = "OVERLOADED"
    retryable = True


class DeadlineExceeded(RefusedError):
    """The deadline passed before the work was done; the work was stopped."""

    code = "DEADLINE_EXCEEDED"
    retryable = True


class Unavailable(RefusedError):
    """A service that the gateway needs is down or starting."""

    code = "UNAVAILABLE"
    retryable = True


class Internal(RefusedError):
    """A bug in a service; its trace is in the services' logs under `request_id`."""

    code = "INTERNAL"


class NotStored(RefusedError):
    """What was to be kept could not be stored."""

    code = "NOT_STORED"
    retryable = True


ALL: tuple[type[RefusedError], ...] = (
    InvalidImage,
    UnsupportedFormat,
    InvalidParameter,
    ImageTooLarge,
    Unauthenticated,
    NotFound,
    MethodNotAllowed,
    InvalidRequest,
    UriTooLong,
    HeadersTooLarge,
    RateLimited,
    Overloaded,
    DeadlineExceeded,
    Unavailable,
    NotStored,
    Internal,
)
"""Every class that has a code."""
_BY_CODE = {kind.code: kind for kind in ALL}


def refused(
    code: str, message: str, *, request_id: str, retry_after_s: float | None, details: Mapping[str, str]
) -> RefusedError:
    """Make the error for a code; a code that this client does not know gives a plain `RefusedError`."""
    kind = _BY_CODE.get(code, RefusedError)
    error = kind(message, request_id=request_id, retry_after_s=retry_after_s, details=details)
    error.code = code
    return error
