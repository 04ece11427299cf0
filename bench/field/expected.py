"""What is right for each photo: what the reports' readers would expect of a good viewer."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from climbmate_client.wire import ErrorAnswer

from bench.field import members
from bench.field.rows import Refused, Row
from bench.photos.bombs import BOMBS

DAMAGED = "damaged"


class _Size(msgspec.Struct, frozen=True):
    width: int
    height: int


class _Answer(msgspec.Struct, frozen=True):
    image: _Size
    degraded: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo that is answered with 200.

    Attributes:
        width: As shown.
        height: As shown.
        damaged: Whether the answer has to say so; None for either.
    """

    width: int
    height: int
    damaged: bool | None = False

    def __str__(self) -> str:
        return f"{self.width} x {self.height}{_told_damaged(self.damaged)}"

    def judged(self, kind: str, name: str, status: int, body: bytes) -> Row:
        """Compare with an answer; status 0 stands for none."""
        if status != 200:
            return Row(kind, name, str(self), _refusal(status, body), well=False)
        answer = msgspec.json.decode(body, type=_Answer)
        damaged = DAMAGED in answer.degraded
        came = Shown(answer.image.width, answer.image.height, damaged)
        well = (came.width, came.height) == (self.width, self.height) and self.damaged in (None, damaged)
        return Row(kind, name, str(self), str(came), well)


class Unknown:
    """A photo that nobody has judged yet: shown, or refused for what it is, as no fault of ours."""

    def __str__(self) -> str:
        return "200 or a refusal for what it is"

    def judged(self, kind: str, name: str, status: int, body: bytes) -> Row:
        """Compare with an answer; status 0 stands for none."""
        came = Refused((400, 413, 415)).judged(kind, name, status, body) if status != 200 else None
        if came is not None:
            return Row(kind, name, str(self), came.came, came.well)
        size = msgspec.json.decode(body, type=_Answer).image
        return Row(kind, name, str(self), f"{size.width} x {size.height}", well=True)


Expected = Shown | Refused | Unknown

_AS_TAKEN, _TURNED = Shown(640, 480), Shown(480, 640)
_NOT_READABLE = Refused((400,), ("INVALID_IMAGE",))
_BOMB = Refused((400, 413), ("INVALID_IMAGE", "IMAGE_TOO_LARGE"))

REPORTED: Mapping[str, Expected] = {
    "samsung_sos_se0.jpg": _AS_TAKEN,
    "dji_12_zeros_before_eoi.jpg": _AS_TAKEN,
    "webcam_extra_byte_before_rst.jpg": _AS_TAKEN,
    "stray_bytes_between_segments.jpg": _AS_TAKEN,
    "adobe_transform_2_rgb.jpg": _AS_TAKEN,
    "no_eoi.jpg": _AS_TAKEN,
    "icc_empty.jpg": _AS_TAKEN,
    "icc_1_of_2.jpg": _AS_TAKEN,
    "sampling_4x2.jpg": _AS_TAKEN,
    "sampling_2x2_2x1_1x1.jpg": _AS_TAKEN,
    "exif_twice_6_then_1.jpg": _TURNED,
    "exif_twice_6_then_none.jpg": _TURNED,
    "gray_trns.png": Shown(320, 240),
    "icc_space_not_ascii.jpg": _AS_TAKEN,
    "icc_space_not_ascii.png": _AS_TAKEN,
    "pixel_50mp_8160x6144.jpg": Shown(8160, 6144),
    "iphone_pano_16382x3794.jpg": Shown(16382, 3794),
    "bomb_clap_11900.heic": _BOMB,
    "bomb_second_ihdr_9000.png": _BOMB,
}
"""By the name that SHARED's field/make.py gives a file."""

MADE: Mapping[str, Expected] = {
    **dict.fromkeys(members.WHOLE, _AS_TAKEN),
    **dict.fromkeys(members.TURNED, _TURNED),
    **dict.fromkeys(members.DAMAGED, Shown(640, 480, damaged=True)),
    **dict.fromkeys(members.EITHER, Shown(640, 480, damaged=None)),
    **dict.fromkeys(members.NOTHING_LEFT, _NOT_READABLE),
    **dict.fromkeys(BOMBS, _BOMB),
    "bomb-profile-16mb.jpg": Unknown(),
}
"""By the name of our own."""


def _told_damaged(damaged: bool | None) -> str:
    return {True: ", damaged", False: "", None: ", damaged or not"}[damaged]


def _refusal(status: int, body: bytes) -> str:
    if not status:
        return "no answer"
    try:
        error = msgspec.json.decode(body, type=ErrorAnswer).error
    except msgspec.MsgspecError:
        return f"{status} {body[:40]!r}"
    return f"{status} {error.code} {error.details.get('reason', '')}".strip()
