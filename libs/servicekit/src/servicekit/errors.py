"""The errors that a service may answer with; one class for each `climbmate.errors.v1.ErrorReason`.

    ServiceError
    ├── InvalidImage          the bytes are not a readable photo
    ├── UnsupportedFormat     a format that is not served
    ├── InvalidParameter      a parameter is missing, malformed or out of range
    ├── ImageTooLarge         can never fit here
    ├── Unauthenticated       no key, or a wrong one
    ├── DeadlineExceeded      the time was over before the work was done
    ├── Internal              a bug
    └── RetryableError        the same call may succeed after `retry_after_s`
        ├── RateLimited       the caller's allowance is spent
        ├── Overloaded        the queue or the memory is full now
        └── Unavailable       a dependency is down or starting

Raise them anywhere; the gRPC interceptor and the gateway's HTTP handler translate them.
"""

from collections.abc import Mapping
from typing import ClassVar

import grpc


class ServiceError(Exception):
    """A failure with a stable reason that the caller is told.

    Attributes:
        message: One English sentence for the caller; never an internal detail.
        details: Figures and names that belong to the failure, as text.
    """

    code: ClassVar[grpc.StatusCode]
    reason: ClassVar[str]

    def __init__(self, message: str, *, details: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = dict(details or {})


class InvalidImage(ServiceError):
    """The bytes are not a readable photo; the same bytes will fail again."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "INVALID_IMAGE"


class UnsupportedFormat(ServiceError):
    """The photo's format is none that is served."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "UNSUPPORTED_FORMAT"


class InvalidParameter(ServiceError):
    """A parameter is missing, malformed or out of range; `details` names it."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "INVALID_PARAMETER"


class ImageTooLarge(ServiceError):
    """Too many bytes or pixels, or more memory than this replica can ever give."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    reason = "IMAGE_TOO_LARGE"


class Unauthenticated(ServiceError):
    """The caller's key is missing or wrong."""

    code = grpc.StatusCode.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class DeadlineExceeded(ServiceError):
    """The deadline passed before the work was done; the work was stopped."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"


class Internal(ServiceError):
    """A bug. Its text is constant, so nothing internal leaks."""

    code = grpc.StatusCode.INTERNAL
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
    reason = "RATE_LIMITED"


class Overloaded(RetryableError):
    """The queue or the memory is full now."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = "OVERLOADED"


class Unavailable(RetryableError):
    """A dependency is down or starting."""

    code = grpc.StatusCode.UNAVAILABLE
    reason = "UNAVAILABLE"
