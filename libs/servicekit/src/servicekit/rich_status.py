"""Service errors as `google.rpc.Status` on the wire, and back.

The status travels in the trailing metadata, as gRPC's richer error model defines it (grpc.io/docs/guides/error).
"""

import logging

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from servicekit import errors

DOMAIN = "climbmate"
_log = logging.getLogger("rpc")
_TRAILER = "grpc-status-details-bin"
_NOT_SENT = "Internal error from Core"
"""What grpc.aio tells as INTERNAL when a call had ended before its message was written, whatever it had ended with: a
service that refuses at once may be that fast."""
_TOO_LARGE = "message larger than max"
"""How gRPC's core says that it has refused a message by its size, before or after inflating it."""
_BY_REASON = {kind.reason: kind for kind in errors.ALL}


def to_trailers(error: errors.ServiceError) -> tuple[tuple[str, bytes], ...]:
    """Pack an error's reason, details and retry time as trailing metadata."""
    packed = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.details)]
    if isinstance(error, errors.RetryableError):
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after_s * 1000))
        packed.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=error.code.value[0], message=error.message)
    for detail in packed:
        status.details.add().Pack(detail)
    return ((_TRAILER, status.SerializeToString()),)


def from_rpc_error(error: grpc.aio.AioRpcError) -> errors.ServiceError:
    """Turn what a call failed with back into the error that the service raised.

    A failure without our details comes from gRPC itself: UNAVAILABLE and DEADLINE_EXCEEDED keep their meaning, a
    request that was never sent is `Unavailable`, one that is larger than the service reads `ImageTooLarge`, and
    everything else is `Internal`. None of gRPC's own text is passed on.
    """
    info, retry_after_s = _details_of(error)
    message = error.details() or ""
    kind = _BY_REASON.get(info.reason) if info is not None and info.domain == DOMAIN else None
    if kind is None:
        return _from_transport(error.code(), message)
    if issubclass(kind, errors.RetryableError):
        return kind(message, retry_after_s=retry_after_s, details=info.metadata if info else None)
    return errors.Internal() if kind is errors.Internal else kind(message, details=info.metadata if info else None)


def _from_transport(code: grpc.StatusCode, message: str) -> errors.ServiceError:
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.DeadlineExceeded("The deadline passed before the service answered.")
    if code is grpc.StatusCode.UNAVAILABLE:
        return errors.Unavailable("The service cannot be reached.")
    if code is grpc.StatusCode.INTERNAL and message == _NOT_SENT:
        return errors.Unavailable("The service ended the call before the request was sent.")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in message:
        return errors.ImageTooLarge("The request has more bytes than the service reads.")
    _log.error("failed call", extra={"fields": {"code": code.name, "details": message}})
    return errors.Internal()


def _details_of(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo | None, float]:
    info: error_details_pb2.ErrorInfo | None = None
    retry_after_s = 1.0
    for key, value in error.trailing_metadata() or ():
        if key == _TRAILER and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = _unpacked(detail) or info
                retry_after_s = _retry_delay_s(detail) or retry_after_s
    return info, retry_after_s


def _unpacked(detail: any_pb2.Any) -> error_details_pb2.ErrorInfo | None:
    info = error_details_pb2.ErrorInfo()
    return info if detail.Unpack(info) else None


def _retry_delay_s(detail: any_pb2.Any) -> float | None:
    retry = error_details_pb2.RetryInfo()
    return retry.retry_delay.ToTimedelta().total_seconds() if detail.Unpack(retry) else None
