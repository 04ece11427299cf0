import asyncio
import io

import cv2
import grpc
import numpy as np
import pytest
from climbmate.detector.v1 import detector_pb2
from climbmate.hold.v1 import hold_pb2
from detector.finder import HoldFinder, Query
from detector.model import HoldNetwork
from PIL import Image
from servicekit.budget import MemoryBudget
from servicekit.memory import MemoryLimit, MemoryMeter
from servicekit.pressure import Pressure
from servicekit.rich_status import from_rpc_error
from visionkit import masks
from visionkit.light import Light, balanced

Request = detector_pb2.DetectHoldsRequest
CENTERS = [(60, 60), (228, 84), (124, 180)]  # middles of the toy network's cells
ORIENTED = {  # how a photo that is shown upright is stored, by EXIF orientation
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


async def refusal(stub, **fields):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.DetectHolds(Request(**fields))
    return caught.value.code(), from_rpc_error(caught.value)


async def test_every_hold_comes_with_its_shape_and_its_pixels(serve, toy_finder, wall):
    async with serve(toy_finder) as stub:
        answer = await stub.DetectHolds(Request(photo=wall(*CENTERS), with_crops=True))
    assert (answer.photo_size.width, answer.photo_size.height) == (320, 240)
    assert [h.hold.id for h in answer.holds] == [0, 1, 2]
    assert answer.model.name == "toy"
    assert [s.name for s in answer.stages] == ["decode", "letterbox", "detect", "masks", "crops"]
    for detected, (x, y) in zip(answer.holds, reversed(CENTERS), strict=True):  # the last one is the reddest
        hold = detected.hold
        assert hold.kind == hold_pb2.HOLD_KIND_HOLD
        np.testing.assert_allclose([hold.box.x_min, hold.box.x_max], [x - 28, x + 28], atol=0.5)
        np.testing.assert_allclose([hold.box.y_min, hold.box.y_max], [y - 28, y + 28], atol=0.5)
        assert hold.area_px == pytest.approx(40 * 40, rel=0.15)
        mask = masks.unpack(hold.mask.bits, hold.mask.width, hold.mask.height)
        pixels = np.frombuffer(detected.crop_rgb, np.uint8).reshape(hold.mask.height, hold.mask.width, 3)
        inside = pixels[masks.erode_core(mask)].astype(int)
        assert (inside[:, 0] - inside[:, 1]).min() > 40  # red, and nothing of the wall
        polygon = np.array(hold.polygon.xy).reshape(-1, 2)
        np.testing.assert_allclose(polygon.mean(axis=0), [x, y], atol=3)


async def test_crops_are_left_out_unless_asked_for(serve, toy_finder, wall):
    async with serve(toy_finder) as stub:
        answer = await stub.DetectHolds(Request(photo=wall(*CENTERS)))
    assert [h.crop_rgb for h in answer.holds] == [b""] * 3
    assert "crops" not in [s.name for s in answer.stages]


async def test_the_light_comes_with_the_crops_and_only_with_them(serve, toy_finder, jpeg):
    rng = np.random.default_rng(0)
    photo = np.full((240, 320, 3), 114, np.uint8)
    for x in range(10, 310, 20):
        cv2.circle(photo, (x, 60), 8, rng.integers(40, 220, 3).tolist(), -1)
    warm = balanced(photo, Light(-0.6, 0.9))
    async with serve(toy_finder) as stub:
        answers = [await stub.DetectHolds(Request(photo=jpeg(one), with_crops=True)) for one in (photo, warm)]
        without = await stub.DetectHolds(Request(photo=jpeg(warm)))
    assert not without.HasField("light")
    assert answers[1].light.red > answers[0].light.red + 0.2
    assert answers[1].light.blue < answers[0].light.blue - 0.3


@pytest.mark.parametrize(
    "photo",
    [np.zeros((300, 400, 3), np.uint8), np.full((1, 1, 3), 255, np.uint8), np.full((240, 320, 3), 114, np.uint8)],
    ids=["black", "one pixel", "bare wall"],
)
async def test_photos_without_holds_are_answered_with_an_empty_list(serve, toy_finder, jpeg, photo):
    async with serve(toy_finder) as stub:
        answer = await stub.DetectHolds(Request(photo=jpeg(photo), with_crops=True))
    assert list(answer.holds) == []
    assert (answer.photo_size.height, answer.photo_size.width) == photo.shape[:2]


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_turned_phones_see_the_same_holds(serve, toy_finder, wall, wall_rgb, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    stored = np.ascontiguousarray(ORIENTED[orientation](wall_rgb(*CENTERS)))
    Image.fromarray(stored).save(buffer, "JPEG", quality=98, exif=exif)
    async with serve(toy_finder) as stub:
        upright = await stub.DetectHolds(Request(photo=wall(*CENTERS)))
        turned = await stub.DetectHolds(Request(photo=buffer.getvalue()))
    assert turned.photo_size == upright.photo_size
    boxes = [
        np.array([[b.x_min, b.y_min, b.x_max, b.y_max] for b in (h.hold.box for h in a.holds)])
        for a in (upright, turned)
    ]
    np.testing.assert_allclose(boxes[1], boxes[0], atol=1)


async def test_the_most_confident_come_first_and_the_limits_of_the_request_count(serve, toy_finder, wall):
    async with serve(toy_finder) as stub:
        every = await stub.DetectHolds(Request(photo=wall(*CENTERS), min_confidence=0.01))
        least = every.holds[1].hold.confidence
        confident = await stub.DetectHolds(Request(photo=wall(*CENTERS), min_confidence=least))
        one = await stub.DetectHolds(Request(photo=wall(*CENTERS), max_holds=1))
    scores = [h.hold.confidence for h in every.holds]
    assert scores == sorted(scores, reverse=True)
    assert len(confident.holds) == 2
    assert one.holds[0].hold.area_px == max(h.hold.area_px for h in every.holds if h.hold.confidence >= 0.3)


async def test_coordinates_are_full_size_pixels_however_small_the_photo_was_decoded(serve, toy_network, wall_rgb, jpeg):
    large = cv2.resize(wall_rgb(*CENTERS), None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    async with serve(HoldFinder(toy_network, max_side_px=640, max_pixels=10**8)) as stub:
        answer = await stub.DetectHolds(Request(photo=jpeg(large), with_crops=True))
    assert (answer.photo_size.width, answer.photo_size.height) == (1600, 1200)
    box = answer.holds[0].hold.box
    np.testing.assert_allclose([(box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2], [620, 900], atol=12)
    assert max(answer.holds[0].hold.mask.width, answer.holds[0].hold.mask.height) <= 96


BAD = {
    "nothing": ({"photo": b""}, "INVALID_IMAGE"),
    "no image": ({"photo": b"GIF89a and so on"}, "UNSUPPORTED_FORMAT"),
    "too many holds": ({"photo": b"x", "max_holds": 301}, "INVALID_PARAMETER"),
    "confidence 0": ({"photo": b"x", "min_confidence": 0.0}, "INVALID_PARAMETER"),
    "confidence 2": ({"photo": b"x", "min_confidence": 2.0}, "INVALID_PARAMETER"),
    "not a number": ({"photo": b"x", "min_confidence": float("nan")}, "INVALID_PARAMETER"),
}


@pytest.mark.parametrize(("fields", "reason"), BAD.values(), ids=BAD)
async def test_bad_requests_are_refused_with_a_reason(serve, toy_finder, fields, reason):
    async with serve(toy_finder) as stub:
        code, info = await refusal(stub, **fields)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert info.reason == reason


async def test_a_bad_parameter_is_named_with_what_it_must_be(serve, toy_finder):
    async with serve(toy_finder) as stub:
        for fields, told in (
            ({"max_holds": 301}, {"max_holds": "must be 1 to 300"}),
            ({"min_confidence": 2.0}, {"min_confidence": "must be 0.01 to 1"}),
        ):
            _, info = await refusal(stub, photo=b"x", **fields)
            assert info.details == told


@pytest.mark.parametrize("with_crops", [False, True])
async def test_of_a_photo_that_broke_off_the_holds_are_found_that_are_left(serve, toy_finder, wall, with_crops):
    photo = wall(*CENTERS)
    async with serve(toy_finder) as stub:
        part = await stub.DetectHolds(Request(photo=photo[: len(photo) * 2 // 3], with_crops=with_crops))
        whole = await stub.DetectHolds(Request(photo=photo, with_crops=with_crops))
        odd = await stub.DetectHolds(Request(photo=photo[:-2], with_crops=with_crops))
    assert (part.damaged, whole.damaged, odd.damaged) == (True, False, False)
    assert 1 <= len(part.holds) <= len(whole.holds) == len(odd.holds) == 3


async def test_a_photo_of_which_nothing_is_left_is_refused_and_the_next_one_answered(serve, toy_finder, wall):
    photo = wall(*CENTERS)
    async with serve(toy_finder) as stub:
        _, info = await refusal(stub, photo=photo[: photo.index(b"\xff\xda") + 20])
        answer = await stub.DetectHolds(Request(photo=photo))
    assert info.reason == "INVALID_IMAGE"
    assert len(answer.holds) == 3


async def test_a_header_that_claims_too_much_is_refused_before_decoding(serve, toy_network, wall):
    async with serve(HoldFinder(toy_network, max_side_px=1280, max_pixels=76_799)) as stub:
        _, info = await refusal(stub, photo=wall(*CENTERS))
    assert info.reason == "IMAGE_TOO_LARGE"
    assert info.details["width"] == "320"


async def test_a_photo_that_memory_can_never_hold_is_refused_with_figures(serve, toy_finder, wall):
    async with serve(toy_finder, budget=MemoryBudget(1_000_000, queue_limit=1)) as stub:
        _, info = await refusal(stub, photo=wall(*CENTERS))
    assert info.reason == "IMAGE_TOO_LARGE"
    assert float(info.details["needed_mb"]) > 1


async def test_callers_that_leave_do_not_disturb_the_others(serve, held_session, wall):
    finder = HoldFinder(HoldNetwork(held_session), max_side_px=1280, max_pixels=50_000_000)
    photo = wall(*CENTERS)
    held_session.hold()
    async with serve(finder) as stub:
        at_work = stub.DetectHolds(Request(photo=photo))
        assert await asyncio.to_thread(held_session.begun.wait, 5)
        waiting = [stub.DetectHolds(Request(photo=photo)) for _ in range(5)]
        await asyncio.sleep(0.1)  # they queue behind the first
        for leaving in (at_work, *waiting[::2]):
            leaving.cancel()
        assert await asyncio.to_thread(held_session.left.wait, 3)  # sooner than its deadline
        held_session.let_go()
        answers = await asyncio.gather(*waiting[1::2])
    assert [len(answer.holds) for answer in answers] == [3, 3]


class ManySizes:
    """A session that takes the toy network's pictures in two sizes; the smaller ones are enlarged."""

    def __init__(self, session):
        self.inputs, self.outputs, self.is_fixed = session.inputs, session.outputs, True
        self._session = session
        self.seen_px = []

    def run(self, feeds, *, token=None):
        picture = feeds["images"]
        self.seen_px.append(picture.shape[2])
        twice = 320 // picture.shape[2]
        return self._session.run({"images": picture.repeat(twice, axis=2).repeat(twice, axis=3)}, token=token)


@pytest.fixture
def two_sizes(held_session):
    session = ManySizes(held_session)
    return session, HoldFinder(HoldNetwork(session, (320, 160)), max_side_px=1280, max_pixels=50_000_000)


async def test_a_photo_is_looked_at_in_the_usual_size_while_there_is_memory(serve, two_sizes, wall):
    session, finder = two_sizes
    async with serve(finder) as stub:
        answer = await stub.DetectHolds(Request(photo=wall(*CENTERS)))
    assert session.seen_px[-1] == 320
    assert not answer.reduced_resolution


async def test_a_photo_that_fits_in_the_smaller_size_only_is_looked_at_in_that_one_and_says_so(serve, two_sizes, wall):
    session, finder = two_sizes
    query = Query(wall(*CENTERS), 40, 0.3, with_crops=False)
    header = finder.read_header(query)
    assert finder.cost_bytes(query, header, 160) < finder.cost_bytes(query, header)
    budget = MemoryBudget(finder.cost_bytes(query, header, 160), queue_limit=1)
    async with serve(finder, budget=budget) as stub:
        answer = await stub.DetectHolds(Request(photo=query.photo))
    assert session.seen_px[-1] == 160
    assert answer.reduced_resolution
    assert budget.reserved_bytes == 0


async def test_a_photo_that_waited_half_of_its_time_takes_the_smaller_size(serve, two_sizes, held_session, wall):
    _, finder = two_sizes
    query = Query(wall(*CENTERS), 40, 0.3, with_crops=False)
    header = finder.read_header(query)
    budget = MemoryBudget(finder.cost_bytes(query, header) + finder.cost_bytes(query, header, 160), queue_limit=4)
    held_session.hold()
    async with serve(finder, budget=budget, deadline_s=2.0) as stub:
        first = stub.DetectHolds(Request(photo=query.photo))
        assert await asyncio.to_thread(held_session.begun.wait, 5)
        second = stub.DetectHolds(Request(photo=query.photo))
        await asyncio.sleep(1.3)
        held_session.let_go()
        answers = await asyncio.gather(first, second)
    assert [answer.reduced_resolution for answer in answers] == [False, True]


async def test_under_critical_pressure_the_smaller_size_is_taken_at_once(serve, two_sizes, wall):
    _, finder = two_sizes
    meter, steps = MemoryMeter(MemoryLimit(100, None)), []
    meter.pinned_bytes = lambda: 95
    async with serve(finder, pressure=Pressure(meter, steps.append)) as stub:
        answer = await stub.DetectHolds(Request(photo=wall(*CENTERS)))
    assert answer.reduced_resolution
    assert steps == ["smaller_size"]


async def test_without_a_smaller_size_pressure_changes_no_answer(serve, toy_finder, wall):
    meter = MemoryMeter(MemoryLimit(100, None))
    meter.pinned_bytes = lambda: 95
    async with serve(toy_finder, pressure=Pressure(meter, [].append)) as stub:
        answer = await stub.DetectHolds(Request(photo=wall(*CENTERS)))
    assert not answer.reduced_resolution
    assert len(answer.holds) == 3
