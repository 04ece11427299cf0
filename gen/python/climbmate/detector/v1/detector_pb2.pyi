from climbmate.hold.v1 import hold_pb2 as _hold_pb2
from climbmate.status.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DetectHoldsRequest(_message.Message):
    __slots__ = ("photo", "max_holds", "min_confidence", "with_crops")
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    MAX_HOLDS_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    WITH_CROPS_FIELD_NUMBER: _ClassVar[int]
    photo: bytes
    max_holds: int
    min_confidence: float
    with_crops: bool
    def __init__(self, photo: _Optional[bytes] = ..., max_holds: _Optional[int] = ..., min_confidence: _Optional[float] = ..., with_crops: _Optional[bool] = ...) -> None: ...

class DetectedHold(_message.Message):
    __slots__ = ("hold", "crop_rgb")
    HOLD_FIELD_NUMBER: _ClassVar[int]
    CROP_RGB_FIELD_NUMBER: _ClassVar[int]
    hold: _hold_pb2.Hold
    crop_rgb: bytes
    def __init__(self, hold: _Optional[_Union[_hold_pb2.Hold, _Mapping]] = ..., crop_rgb: _Optional[bytes] = ...) -> None: ...

class DetectHoldsResponse(_message.Message):
    __slots__ = ("photo_size", "holds", "model", "stages", "reduced_resolution", "light", "damaged")
    PHOTO_SIZE_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    REDUCED_RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    LIGHT_FIELD_NUMBER: _ClassVar[int]
    DAMAGED_FIELD_NUMBER: _ClassVar[int]
    photo_size: _hold_pb2.PhotoSize
    holds: _containers.RepeatedCompositeFieldContainer[DetectedHold]
    model: _status_pb2.ModelInfo
    stages: _containers.RepeatedCompositeFieldContainer[_status_pb2.Stage]
    reduced_resolution: bool
    light: _hold_pb2.Light
    damaged: bool
    def __init__(self, photo_size: _Optional[_Union[_hold_pb2.PhotoSize, _Mapping]] = ..., holds: _Optional[_Iterable[_Union[DetectedHold, _Mapping]]] = ..., model: _Optional[_Union[_status_pb2.ModelInfo, _Mapping]] = ..., stages: _Optional[_Iterable[_Union[_status_pb2.Stage, _Mapping]]] = ..., reduced_resolution: _Optional[bool] = ..., light: _Optional[_Union[_hold_pb2.Light, _Mapping]] = ..., damaged: _Optional[bool] = ...) -> None: ...
