from climbmate.hold.v1 import hold_pb2 as _hold_pb2
from climbmate.status.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AnalysisOptions(_message.Message):
    __slots__ = ("max_holds", "min_confidence", "min_holds", "palette")
    MAX_HOLDS_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    MIN_HOLDS_FIELD_NUMBER: _ClassVar[int]
    PALETTE_FIELD_NUMBER: _ClassVar[int]
    max_holds: int
    min_confidence: float
    min_holds: int
    palette: _containers.RepeatedCompositeFieldContainer[_hold_pb2.ColorPrompt]
    def __init__(self, max_holds: _Optional[int] = ..., min_confidence: _Optional[float] = ..., min_holds: _Optional[int] = ..., palette: _Optional[_Iterable[_Union[_hold_pb2.ColorPrompt, _Mapping]]] = ...) -> None: ...

class AnalyzePhotoRequest(_message.Message):
    __slots__ = ("photo", "options")
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    photo: bytes
    options: AnalysisOptions
    def __init__(self, photo: _Optional[bytes] = ..., options: _Optional[_Union[AnalysisOptions, _Mapping]] = ...) -> None: ...

class AnalyzedHold(_message.Message):
    __slots__ = ("hold", "color", "problem_id")
    HOLD_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_ID_FIELD_NUMBER: _ClassVar[int]
    hold: _hold_pb2.Hold
    color: _hold_pb2.Color
    problem_id: str
    def __init__(self, hold: _Optional[_Union[_hold_pb2.Hold, _Mapping]] = ..., color: _Optional[_Union[_hold_pb2.Color, _Mapping]] = ..., problem_id: _Optional[str] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("id", "color", "hold_ids", "box", "rgb", "confidence", "height_span", "reach_mean", "reach_max", "small_share")
    ID_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    HOLD_IDS_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    RGB_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_SPAN_FIELD_NUMBER: _ClassVar[int]
    REACH_MEAN_FIELD_NUMBER: _ClassVar[int]
    REACH_MAX_FIELD_NUMBER: _ClassVar[int]
    SMALL_SHARE_FIELD_NUMBER: _ClassVar[int]
    id: str
    color: str
    hold_ids: _containers.RepeatedScalarFieldContainer[int]
    box: _hold_pb2.Box
    rgb: _hold_pb2.Rgb
    confidence: float
    height_span: float
    reach_mean: float
    reach_max: float
    small_share: float
    def __init__(self, id: _Optional[str] = ..., color: _Optional[str] = ..., hold_ids: _Optional[_Iterable[int]] = ..., box: _Optional[_Union[_hold_pb2.Box, _Mapping]] = ..., rgb: _Optional[_Union[_hold_pb2.Rgb, _Mapping]] = ..., confidence: _Optional[float] = ..., height_span: _Optional[float] = ..., reach_mean: _Optional[float] = ..., reach_max: _Optional[float] = ..., small_share: _Optional[float] = ...) -> None: ...

class Timings(_message.Message):
    __slots__ = ("decode_ms", "detect_ms", "color_ms", "total_ms")
    DECODE_MS_FIELD_NUMBER: _ClassVar[int]
    DETECT_MS_FIELD_NUMBER: _ClassVar[int]
    COLOR_MS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    decode_ms: float
    detect_ms: float
    color_ms: float
    total_ms: float
    def __init__(self, decode_ms: _Optional[float] = ..., detect_ms: _Optional[float] = ..., color_ms: _Optional[float] = ..., total_ms: _Optional[float] = ...) -> None: ...

class ServiceReceipt(_message.Message):
    __slots__ = ("service", "stages")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    service: str
    stages: _containers.RepeatedCompositeFieldContainer[_status_pb2.Stage]
    def __init__(self, service: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[_status_pb2.Stage, _Mapping]]] = ...) -> None: ...

class AnalyzePhotoResponse(_message.Message):
    __slots__ = ("request_id", "photo_size", "holds", "problems", "degraded", "models", "timings", "receipts")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PHOTO_SIZE_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    photo_size: _hold_pb2.PhotoSize
    holds: _containers.RepeatedCompositeFieldContainer[AnalyzedHold]
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    degraded: _containers.RepeatedScalarFieldContainer[str]
    models: _containers.RepeatedCompositeFieldContainer[_status_pb2.ModelInfo]
    timings: Timings
    receipts: _containers.RepeatedCompositeFieldContainer[ServiceReceipt]
    def __init__(self, request_id: _Optional[str] = ..., photo_size: _Optional[_Union[_hold_pb2.PhotoSize, _Mapping]] = ..., holds: _Optional[_Iterable[_Union[AnalyzedHold, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., degraded: _Optional[_Iterable[str]] = ..., models: _Optional[_Iterable[_Union[_status_pb2.ModelInfo, _Mapping]]] = ..., timings: _Optional[_Union[Timings, _Mapping]] = ..., receipts: _Optional[_Iterable[_Union[ServiceReceipt, _Mapping]]] = ...) -> None: ...

class StreamAnalysisRequest(_message.Message):
    __slots__ = ("photo", "options")
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    photo: bytes
    options: AnalysisOptions
    def __init__(self, photo: _Optional[bytes] = ..., options: _Optional[_Union[AnalysisOptions, _Mapping]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("stage", "percent", "message")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    stage: str
    percent: int
    message: str
    def __init__(self, stage: _Optional[str] = ..., percent: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class HoldsFound(_message.Message):
    __slots__ = ("photo_size", "holds")
    PHOTO_SIZE_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    photo_size: _hold_pb2.PhotoSize
    holds: _containers.RepeatedCompositeFieldContainer[_hold_pb2.Hold]
    def __init__(self, photo_size: _Optional[_Union[_hold_pb2.PhotoSize, _Mapping]] = ..., holds: _Optional[_Iterable[_Union[_hold_pb2.Hold, _Mapping]]] = ...) -> None: ...

class HoldColored(_message.Message):
    __slots__ = ("hold_id", "color")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    hold_id: int
    color: _hold_pb2.Color
    def __init__(self, hold_id: _Optional[int] = ..., color: _Optional[_Union[_hold_pb2.Color, _Mapping]] = ...) -> None: ...

class ColorsFound(_message.Message):
    __slots__ = ("colors",)
    COLORS_FIELD_NUMBER: _ClassVar[int]
    colors: _containers.RepeatedCompositeFieldContainer[HoldColored]
    def __init__(self, colors: _Optional[_Iterable[_Union[HoldColored, _Mapping]]] = ...) -> None: ...

class StreamAnalysisResponse(_message.Message):
    __slots__ = ("progress", "holds", "colors", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    COLORS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    holds: HoldsFound
    colors: ColorsFound
    result: AnalyzePhotoResponse
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., holds: _Optional[_Union[HoldsFound, _Mapping]] = ..., colors: _Optional[_Union[ColorsFound, _Mapping]] = ..., result: _Optional[_Union[AnalyzePhotoResponse, _Mapping]] = ...) -> None: ...
