from climbmate.hold.v1 import hold_pb2 as _hold_pb2
from climbmate.status.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Crop(_message.Message):
    __slots__ = ("hold_id", "mask", "rgb")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    RGB_FIELD_NUMBER: _ClassVar[int]
    hold_id: int
    mask: _hold_pb2.Mask
    rgb: bytes
    def __init__(self, hold_id: _Optional[int] = ..., mask: _Optional[_Union[_hold_pb2.Mask, _Mapping]] = ..., rgb: _Optional[bytes] = ...) -> None: ...

class ColorHoldsRequest(_message.Message):
    __slots__ = ("crops", "palette", "light")
    CROPS_FIELD_NUMBER: _ClassVar[int]
    PALETTE_FIELD_NUMBER: _ClassVar[int]
    LIGHT_FIELD_NUMBER: _ClassVar[int]
    crops: _containers.RepeatedCompositeFieldContainer[Crop]
    palette: _containers.RepeatedCompositeFieldContainer[_hold_pb2.ColorPrompt]
    light: _hold_pb2.Light
    def __init__(self, crops: _Optional[_Iterable[_Union[Crop, _Mapping]]] = ..., palette: _Optional[_Iterable[_Union[_hold_pb2.ColorPrompt, _Mapping]]] = ..., light: _Optional[_Union[_hold_pb2.Light, _Mapping]] = ...) -> None: ...

class HoldColor(_message.Message):
    __slots__ = ("hold_id", "color")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    hold_id: int
    color: _hold_pb2.Color
    def __init__(self, hold_id: _Optional[int] = ..., color: _Optional[_Union[_hold_pb2.Color, _Mapping]] = ...) -> None: ...

class ColorHoldsResponse(_message.Message):
    __slots__ = ("colors", "model", "stages")
    COLORS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    colors: _containers.RepeatedCompositeFieldContainer[HoldColor]
    model: _status_pb2.ModelInfo
    stages: _containers.RepeatedCompositeFieldContainer[_status_pb2.Stage]
    def __init__(self, colors: _Optional[_Iterable[_Union[HoldColor, _Mapping]]] = ..., model: _Optional[_Union[_status_pb2.ModelInfo, _Mapping]] = ..., stages: _Optional[_Iterable[_Union[_status_pb2.Stage, _Mapping]]] = ...) -> None: ...

class GetPaletteRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PaletteColor(_message.Message):
    __slots__ = ("name", "prompts", "display")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    name: str
    prompts: _containers.RepeatedScalarFieldContainer[str]
    display: _hold_pb2.Rgb
    def __init__(self, name: _Optional[str] = ..., prompts: _Optional[_Iterable[str]] = ..., display: _Optional[_Union[_hold_pb2.Rgb, _Mapping]] = ...) -> None: ...

class GetPaletteResponse(_message.Message):
    __slots__ = ("colors",)
    COLORS_FIELD_NUMBER: _ClassVar[int]
    colors: _containers.RepeatedCompositeFieldContainer[PaletteColor]
    def __init__(self, colors: _Optional[_Iterable[_Union[PaletteColor, _Mapping]]] = ...) -> None: ...
