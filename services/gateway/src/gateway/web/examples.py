"""Examples for the API's description; typed, so they cannot differ from what is answered."""

import msgspec

from gateway import messages
from gateway.web import answers, failures, reports

_ID = "01JD3V5Q0ZC8W6N4T2R7KX9YAB"
_MEMORY = reports.Memory(62_914_560, 134_217_728, 58_720_256, "normal")
_LATELY = reports.Lately(requests_per_s=4.2, p50_ms=110.4, p99_ms=240.9, refused=0)
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_RED = answers.Color("red", 0.97, (196, 38, 44))
_OUTLINES = [
    answers.FoundHold(
        0, "hold", 0.93, (1204.0, 880.5, 1390.0, 1022.0), [(1210, 884), (1388, 890), (1300, 1020)], 18234
    ),
    answers.FoundHold(1, "hold", 0.91, (640.0, 1510.0, 742.5, 1598.0), [(640, 1510), (742.5, 1540), (690, 1598)], 5120),
    answers.FoundHold(2, "hold", 0.88, (980.0, 220.0, 1111.0, 317.0), [(980, 260), (1111, 220), (1080, 317)], 8022),
]

ANALYSIS = answers.Analysis(
    request_id=_ID,
    image=answers.Size(4032, 3024),
    holds=[
        answers.Hold(
            outline.id,
            outline.kind,
            outline.confidence,
            outline.box,
            outline.polygon,
            outline.area_px,
            color=_RED,
            problem_id="red-1",
        )
        for outline in _OUTLINES
    ],
    problems=[
        answers.Problem(
            id="red-1",
            color="red",
            hold_ids=[0, 1, 2],
            hold_count=3,
            box=(640.0, 220.0, 1390.0, 1598.0),
            rgb=(196, 38, 44),
            confidence=0.8794,
            height_span=1.0,
            reach_mean=0.4758,
            reach_max=0.5034,
            small_share=0.0,
        )
    ],
    degraded=[],
    models=answers.Models("yolo11n-seg-holds 0.1.0", "climbmate-clip 0.1.0"),
    timings_ms=answers.Timings(decode=21.0, detect=60.2, color=31.4, total=118.3),
    receipts=[
        answers.Receipt("detector", _DIGEST, [answers.Stage("decode", 21.0, 148_000_000, 161_000_000)]),
        answers.Receipt("colorizer", _DIGEST, [answers.Stage("embed", 24.0, 121_000_000, 121_300_000)]),
    ],
)

EVENTS: dict[str, answers.Answer] = {
    "progress": answers.ProgressEvent("detecting", 10, messages.progress("detecting", "en")),
    "holds": answers.HoldsEvent(ANALYSIS.image, _OUTLINES),
    "colors": answers.ColorsEvent([answers.HoldColor(0, _RED)]),
    "result": ANALYSIS,
}

JOB = answers.JobReport(
    id="6mX0c3kQJ9vB1nY4r8sT2w",
    status="running",
    stage="coloring",
    percent=70,
    message=messages.progress("coloring", "en"),
    events_url="/api/jobs/6mX0c3kQJ9vB1nY4r8sT2w/events",
)
JOB_DONE = msgspec.structs.replace(
    JOB, status="done", stage="done", percent=100, message=messages.progress("done", "en"), result=ANALYSIS
)

BATCH = (
    answers.BatchLine(1, "left.jpg", result=ANALYSIS),
    answers.BatchLine(
        0,
        "notes.txt",
        error=answers.Failure("INVALID_IMAGE", messages.error("INVALID_IMAGE", "en"), _ID, {"reason": "No photo."}),
    ),
    answers.BatchEnd(photos=2, failed=1),
)
FEEDBACK = {"request_id": _ID, "hold_id": 4, "color": "pink", "was": "purple", "confidence": 0.61}
FEEDBACK_KEPT = answers.FeedbackKept(_ID, 4, "pink")
PALETTE = answers.Palette([answers.PaletteColor("red", ["a red climbing hold"], (220, 38, 38))])


def health(status: reports.Status) -> reports.Health:
    """An example of how all is."""
    return reports.Health(
        serving=status == "serving",
        status=status,
        services={
            "gateway": reports.ServiceHealth(True, "0.1.0", [], _MEMORY, 1, 0, _LATELY),
            "detector": reports.ServiceHealth(True, "0.1.0", ["yolo11n-seg-holds 0.1.0"], _MEMORY, 1, 0, _LATELY),
            "colorizer": reports.ServiceHealth(
                status == "serving", "0.1.0", ["climbmate-clip 0.1.0"], _MEMORY, 0, 0, _LATELY
            ),
        },
    )


def failure(code: str) -> failures.FailureAnswer:
    """An example of an error."""
    details = {"max_holds": "must be a whole number from 1 to 300"} if code == "INVALID_PARAMETER" else {}
    return failures.FailureAnswer(answers.Failure(code, messages.error(code, "en"), _ID, details))
