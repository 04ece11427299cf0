from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MemoryLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMORY_LEVEL_UNSPECIFIED: _ClassVar[MemoryLevel]
    MEMORY_LEVEL_NORMAL: _ClassVar[MemoryLevel]
    MEMORY_LEVEL_ELEVATED: _ClassVar[MemoryLevel]
    MEMORY_LEVEL_HIGH: _ClassVar[MemoryLevel]
    MEMORY_LEVEL_CRITICAL: _ClassVar[MemoryLevel]
MEMORY_LEVEL_UNSPECIFIED: MemoryLevel
MEMORY_LEVEL_NORMAL: MemoryLevel
MEMORY_LEVEL_ELEVATED: MemoryLevel
MEMORY_LEVEL_HIGH: MemoryLevel
MEMORY_LEVEL_CRITICAL: MemoryLevel

class ModelInfo(_message.Message):
    __slots__ = ("name", "version", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    sha256: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class Stage(_message.Message):
    __slots__ = ("name", "duration_ms", "memory_before_bytes", "memory_after_bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BEFORE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_AFTER_BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    duration_ms: float
    memory_before_bytes: int
    memory_after_bytes: int
    def __init__(self, name: _Optional[str] = ..., duration_ms: _Optional[float] = ..., memory_before_bytes: _Optional[int] = ..., memory_after_bytes: _Optional[int] = ...) -> None: ...

class Memory(_message.Message):
    __slots__ = ("used_bytes", "limit_bytes", "floor_bytes", "level")
    USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    FLOOR_BYTES_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    used_bytes: int
    limit_bytes: int
    floor_bytes: int
    level: MemoryLevel
    def __init__(self, used_bytes: _Optional[int] = ..., limit_bytes: _Optional[int] = ..., floor_bytes: _Optional[int] = ..., level: _Optional[_Union[MemoryLevel, str]] = ...) -> None: ...

class Activity(_message.Message):
    __slots__ = ("requests_per_s", "p50_ms", "p99_ms", "requests", "refused", "failed")
    REQUESTS_PER_S_FIELD_NUMBER: _ClassVar[int]
    P50_MS_FIELD_NUMBER: _ClassVar[int]
    P99_MS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    requests: int
    refused: int
    failed: int
    def __init__(self, requests_per_s: _Optional[float] = ..., p50_ms: _Optional[float] = ..., p99_ms: _Optional[float] = ..., requests: _Optional[int] = ..., refused: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("service", "version", "models", "memory", "in_flight", "uptime_s", "waiting", "activity", "draining")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    UPTIME_S_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    service: str
    version: str
    models: _containers.RepeatedCompositeFieldContainer[ModelInfo]
    memory: Memory
    in_flight: int
    uptime_s: float
    waiting: int
    activity: Activity
    draining: bool
    def __init__(self, service: _Optional[str] = ..., version: _Optional[str] = ..., models: _Optional[_Iterable[_Union[ModelInfo, _Mapping]]] = ..., memory: _Optional[_Union[Memory, _Mapping]] = ..., in_flight: _Optional[int] = ..., uptime_s: _Optional[float] = ..., waiting: _Optional[int] = ..., activity: _Optional[_Union[Activity, _Mapping]] = ..., draining: _Optional[bool] = ...) -> None: ...
