"""Between protobuf messages and the detector's own types."""

from collections.abc import Sequence

from climbmate.detector.v1 import detector_pb2
from climbmate.hold.v1 import hold_pb2
from servicekit.errors import ImageTooLarge, InvalidParameter
from servicekit.limits import MAX_HOLDS, MAX_PHOTO_BYTES
from visionkit import masks
from visionkit.light import Light

from detector.finder import Finding, Query
from detector.pipeline import FoundHold

MIN_CONFIDENCE = 0.01
FLOAT32_SLACK = 1e-6  # the wire carries 0.01 as the nearest float32, which is below it
_KINDS = (hold_pb2.HOLD_KIND_HOLD, hold_pb2.HOLD_KIND_VOLUME)


def to_query(request: detector_pb2.DetectHoldsRequest, *, max_holds: int, min_confidence: float) -> Query:
    """Check a request and fill in what it leaves to the service.

    Args:
        request: as it came.
        max_holds: what 0 stands for.
        min_confidence: what an absent field stands for.

    Raises:
        ImageTooLarge: The file has too many bytes.
        InvalidParameter: A field is out of its range; the details name it.
    """
    photo = request.photo  # every read of a bytes field copies it
    if len(photo) > MAX_PHOTO_BYTES:
        raise ImageTooLarge(
            f"The photo has {len(photo)} bytes; at most {MAX_PHOTO_BYTES} are accepted.",
            details={"bytes": str(len(photo)), "limit_bytes": str(MAX_PHOTO_BYTES)},
        )
    if request.max_holds > MAX_HOLDS:
        raise InvalidParameter("max_holds is out of range.", details={"max_holds": f"must be 1 to {MAX_HOLDS}"})
    confidence = request.min_confidence if request.HasField("min_confidence") else min_confidence
    if not MIN_CONFIDENCE - FLOAT32_SLACK <= confidence <= 1:  # not a number fails, too
        must = f"must be {MIN_CONFIDENCE} to 1"
        raise InvalidParameter("min_confidence is out of range.", details={"min_confidence": must})
    return Query(photo, request.max_holds or max_holds, confidence, request.with_crops)


def from_size(shown_wh: tuple[int, int]) -> hold_pb2.PhotoSize:
    """The photo's size as a message."""
    return hold_pb2.PhotoSize(width=shown_wh[0], height=shown_wh[1])


def from_finding(finding: Finding) -> list[detector_pb2.DetectedHold]:
    """The holds as messages, in their order."""
    return [_detected(number, hold) for number, hold in enumerate(finding.holds)]


def from_light(light: Light) -> hold_pb2.Light:
    """The photo's light as a message."""
    return hold_pb2.Light(red=light.red, blue=light.blue)


def _detected(number: int, hold: FoundHold) -> detector_pb2.DetectedHold:
    rows, columns = hold.mask.shape
    box: Sequence[float] = hold.box_xyxy.tolist()
    return detector_pb2.DetectedHold(
        hold=hold_pb2.Hold(
            id=number,
            kind=_KINDS[hold.kind],
            confidence=hold.confidence,
            box=hold_pb2.Box(x_min=box[0], y_min=box[1], x_max=box[2], y_max=box[3]),
            polygon=hold_pb2.Polygon(xy=hold.polygon.ravel().tolist()),
            area_px=hold.area_px,
            mask=hold_pb2.Mask(width=columns, height=rows, bits=masks.pack(hold.mask)),
        ),
        crop_rgb=b"" if hold.crop_rgb is None else hold.crop_rgb.tobytes(),
    )
