"""Typed settings, read once from the environment by a service's `__main__` and passed down from there.

A field `yolo_img_size` is the variable `YOLO_IMG_SIZE`. A bad value, or a variable that carries the service's prefix
but names no setting, stops the start with one line: a setting that is silently ignored is worse than none.
"""

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar, get_args, get_origin

import msgspec

EXIT_BAD_SETTINGS = 2
_PORT = r"(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"  # 0 to 65535

HostPort = Annotated[str, msgspec.Meta(pattern=rf"^.+:{_PORT}$")]
"""`host:port`."""
MaybeHostPort = Annotated[str, msgspec.Meta(pattern=rf"^(.*:{_PORT})?$")]
"""`host:port`, `:port` for all interfaces, or empty for none."""
Address = Annotated[str, msgspec.Meta(pattern=rf"^(unix:/.+|.+:{_PORT})$")]
"""`host:port` or `unix:/path`."""


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service can be told. Times are seconds."""

    memory_limit_mb: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Memory limit in MB (10^6 bytes) where no cgroup sets one; 0 for none."""
    request_deadline_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 30.0
    """The longest that a call may take when its caller sets no shorter deadline."""
    inbox_mb: Annotated[int, msgspec.Meta(ge=1)] = 64
    """Memory in MB (10^6 bytes) for request messages read but not answered yet; the rest stay at their senders."""
    max_waiting: Annotated[int, msgspec.Meta(ge=0)] = 256
    """How many calls may wait to be read; more are refused with OVERLOADED."""
    drain_wait_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.0
    """How long to keep serving after SIGTERM while clients notice that this replica is unready."""
    drain_limit_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 8.0
    """How long running calls may still take once no new ones are accepted."""
    debug_memory: bool = False
    """1 logs the memory of every stage and traces Python's allocations; SIGUSR1 then logs who holds the most. Slow."""
    debug_memory_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """Port on 127.0.0.1 where, with DEBUG_MEMORY=1, who holds memory is told over HTTP; 0 for none."""
    log_level: Annotated[str, msgspec.Meta(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """The least severe level that is logged."""


class BadSettings(Exception):
    """The environment does not describe valid settings; the text is one line for the operator."""


S = TypeVar("S", bound=ServiceSettings)


def read(kind: type[S], *, prefix: str, environ: Mapping[str, str]) -> S:
    """Read settings from an environment.

    Args:
        kind: The service's settings.
        prefix: The service's own prefix, for example `DETECTOR_`.
        environ: Variable names and values. An empty value counts as not set.

    Raises:
        BadSettings: A value that does not fit, or an unknown variable with the prefix.
    """
    fields = {field.encode_name.upper(): field for field in msgspec.structs.fields(kind)}
    unknown = sorted(name for name in environ if name.startswith(prefix) and name not in fields)
    problems = [f"{name} is not a setting" for name in unknown]
    values: dict[str, object] = {}
    for name, field in fields.items():
        text = environ.get(name, "")
        if not text:
            continue
        try:
            values[field.name] = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as error:
            problems.append(f"{name}={text!r}: {_choice(field.type) or error}")
    if problems:
        raise BadSettings("; ".join(problems))
    return msgspec.convert(values, kind)


def _choice(kind: object) -> str:
    """What a field that takes one of a few values takes; empty for others."""
    return f"must be one of {', '.join(map(str, get_args(kind)))}" if get_origin(kind) is Literal else ""


def load(kind: type[S], *, prefix: str) -> S:
    """Read settings from the process's environment, or end the process with one clear line and exit code 2."""
    try:
        return read(kind, prefix=prefix, environ=os.environ)
    except BadSettings as error:
        sys.stderr.write(f"{prefix.rstrip('_').lower()}: bad settings: {error}\n")
        raise SystemExit(EXIT_BAD_SETTINGS) from None
