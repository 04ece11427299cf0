"""The errors that a service may answer with; one class for each `climbmate.errors.v1.ErrorReason`.

    ServiceError
    ├── InvalidImage          the bytes are not a readable photo
    ├── UnsupportedFormat     a format that is not served
    ├── InvalidParameter      a parameter is missing, malformed or out of range
    ├── ImageTooLarge         can never fit here
    ├── Unauthenticated       no key, or a wrong one
    ├── NotFound              nothing is at this address
    ├── MethodNotAllowed      the address does not take this HTTP method
    ├── InvalidRequest        no HTTP request that can be understood
    ├── UriTooLong            a path and query with too many bytes
    ├── HeadersTooLarge       too many headers, or too large ones
    ├── DeadlineExceeded      the time was over before the work was done
    ├── Internal              a bug
    └── RetryableError        the same call may succeed after `retry_after_s`
        ├── RateLimited       the caller's allowance is spent
        ├── Overloaded        the queue or the memory is full now
        ├── Unavailable       a dependency is down or starting
        └── NotStored         what was to be kept could not be

Raise them anywhere; the gRPC interceptor and the gateway's HTTP handler translate them. A new one is a class here and
in `ALL`, a value in errors.proto, a text in two languages in the gateway, a class of the client's and a row in
docs/api.md; tests/contract/test_errors.py names what is missing.
"""

from collections.abc import Mapping
from typing import ClassVar

import grpc


class ServiceError(Exception):
    """A failure with a stable reason that the caller is told.

    Attributes:
        message: One English sentence for the caller; never an internal detail.
        details: Particulars as text. Of an `InvalidParameter` the name of each bad parameter with what it must be, for
            example `{"max_holds": "must be 1 to 300"}`; of other errors figures by name, as errors.proto lists them.
        code: The status over gRPC.
        http_status: The status over HTTP.
        reason: The stable code.
    """

    code: ClassVar[grpc.StatusCode]
    http_status: ClassVar[int]
    reason: ClassVar[str]

    def __init__(self, message: str, *, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = dict(details or {})


class InvalidImage(ServiceError):
    """The bytes are not a readable photo; the same bytes will fail again."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 400
    reason = "INVALID_IMAGE"


class UnsupportedFormat(ServiceError):
    """The photo's format is none that is served."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 415
    reason = "UNSUPPORTED_FORMAT"


class InvalidParameter(ServiceError):
    """A parameter is missing, malformed or out of range; `details` names it and says what it must be."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 422
    reason = "INVALID_PARAMETER"


class ImageTooLarge(ServiceError):
    """Too many bytes or pixels, or more memory than this replica can ever give."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 413
    reason = "IMAGE_TOO_LARGE"


class Unauthenticated(ServiceError):
    """The caller's key is missing or wrong."""

    code = grpc.StatusCode.UNAUTHENTICATED
    http_status = 401
    reason = "UNAUTHENTICATED"


class NotFound(ServiceError):
    """Nothing is at this address."""

    code = grpc.StatusCode.NOT_FOUND
    http_status = 404
    reason = "NOT_FOUND"


class MethodNotAllowed(ServiceError):
    """The address does not take this HTTP method."""

    code = grpc.StatusCode.UNIMPLEMENTED
    http_status = 405
    reason = "METHOD_NOT_ALLOWED"


class InvalidRequest(ServiceError):
    """The bytes are no HTTP/1.1 request that can be understood."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 400
    reason = "INVALID_REQUEST"


class UriTooLong(ServiceError):
    """The request's path and query have too many bytes."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 414
    reason = "URI_TOO_LONG"


class HeadersTooLarge(ServiceError):
    """Headers, trailers or a chunk's extensions are too many or have too many bytes."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    http_status = 431
    reason = "HEADERS_TOO_LARGE"


class DeadlineExceeded(ServiceError):
    """The deadline passed before the work was done; the work was stopped."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    http_status = 504
    reason = "DEADLINE_EXCEEDED"


class Internal(ServiceError):
    """A bug. Its text is constant, so nothing internal leaks."""

    code = grpc.StatusCode.INTERNAL
    http_status = 500
    reason = "INTERNAL"

    def __init__(self) -> None:
        super().__init__("Internal error; the service's log has the trace under this request id.")


class RetryableError(ServiceError):
    """The same call may succeed after `retry_after_s` seconds."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message, details=details)
        self.retry_after_s = retry_after_s


class RateLimited(RetryableError):
    """The caller's allowance is spent."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 429
    reason = "RATE_LIMITED"


class Overloaded(RetryableError):
    """The queue or the memory is full now."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    http_status = 503
    reason = "OVERLOADED"


class Unavailable(RetryableError):
    """A dependency is down or starting."""

    code = grpc.StatusCode.UNAVAILABLE
    http_status = 503
    reason = "UNAVAILABLE"


class NotStored(RetryableError):
    """What was to be kept could not be stored: the disk is full or read-only, or the store has reached its size."""

    code = grpc.StatusCode.UNAVAILABLE
    http_status = 503
    reason = "NOT_STORED"


ALL: tuple[type[ServiceError], ...] = (
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
    DeadlineExceeded,
    Internal,
    RateLimited,
    Overloaded,
    Unavailable,
    NotStored,
)
"""Every class that has a reason."""
