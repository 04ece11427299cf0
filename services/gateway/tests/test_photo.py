"""A photo's file on its way: written once, framed for the detector where it is."""

import asyncio
import hashlib

import pytest
from climbmate.colorizer.v1 import colorizer_pb2
from climbmate.detector.v1 import detector_pb2
from climbmate.hold.v1 import hold_pb2
from gateway import convert
from gateway.admission import MAX_UPLOAD_BYTES, Admission
from gateway.domain import ColorPrompt, Crop, Light, Looks, Mask, Options
from gateway.photo import Photo
from gateway.web.pace import Pace, in_pace
from servicekit.budget import MemoryBudget
from servicekit.errors import DeadlineExceeded
from servicekit.formats import HEAD_BYTES


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 25_165_824])
@pytest.mark.parametrize("room", [0, 0.5, 1, 2], ids="{} of its room".format)
def test_the_detector_reads_what_the_gateway_frames_by_hand(size, room):
    file = bytes(range(256)) * (size // 256) + bytes(size % 256)
    photo = Photo(room_bytes=int(size * room))
    for start in range(0, size, 1 << 20):
        photo.add(memoryview(file)[start : start + (1 << 20)])
    assert (photo.size_bytes, photo.sha256) == (size, hashlib.sha256(file).digest())
    assert photo.head == file[:HEAD_BYTES]
    asked = detector_pb2.DetectHoldsRequest.FromString(convert.detect_request(photo, Options(7, 0.5)))
    assert asked == detector_pb2.DetectHoldsRequest(photo=file, max_holds=7, min_confidence=0.5, with_crops=True)
    assert photo.size_bytes == 0


@pytest.mark.parametrize("sides_px", [[], [0], [1, 96, 7]])
def test_the_colorizer_reads_what_the_gateway_frames_by_hand(sides_px):
    crops = [
        Crop(hold_id, Mask(side_px, side_px, bytes([hold_id] * side_px)), bytes([7]) * side_px**2 * 3)
        for hold_id, side_px in enumerate(sides_px)
    ]
    looks = Looks(Light(0.25, -0.5), (ColorPrompt("mint", "a minty hold"),))
    asked = colorizer_pb2.ColorHoldsRequest.FromString(convert.color_request(crops, looks))
    assert asked == colorizer_pb2.ColorHoldsRequest(
        crops=[
            colorizer_pb2.Crop(
                hold_id=crop.hold_id,
                mask=hold_pb2.Mask(width=crop.mask.width, height=crop.mask.height, bits=crop.mask.bits),
                rgb=crop.rgb,
            )
            for crop in crops
        ],
        palette=[hold_pb2.ColorPrompt(name="mint", prompt="a minty hold")],
        light=hold_pb2.Light(red=0.25, blue=-0.5),
    )


async def test_large_photos_are_sent_on_one_at_a_time_and_small_ones_together():
    admission = Admission(MemoryBudget(128_000_000, queue_limit=9), max_in_flight=9)
    busy = most = 0

    async def send(size):
        nonlocal busy, most
        async with admission.send(size):
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.01)
            busy -= 1

    await asyncio.gather(*(send(MAX_UPLOAD_BYTES) for _ in range(4)))
    assert most == 1
    most = 0
    await asyncio.gather(*(send(2_000_000) for _ in range(4)))
    assert most == 4


async def test_uploads_hold_a_part_of_the_room_only():
    room = MemoryBudget(128_000_000, queue_limit=9)
    admission = Admission(room, max_in_flight=9)
    held = [asyncio.create_task(hold(admission, 12_000_000)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert room.reserved_bytes == 24_000_000
    assert admission.crowded
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    assert not admission.crowded
    assert room.reserved_bytes == 0


async def hold(admission, size):
    async with admission.hold(size, max_wait_s=5):
        await asyncio.sleep(5)


@pytest.mark.parametrize(("crowded", "arrives"), [(False, True), (True, False)])
async def test_an_upload_at_the_slowest_pace_is_cut_only_while_others_wait_for_its_room(crowded, arrives):
    async def trickle():
        for _ in range(20):
            await asyncio.sleep(0.02)
            yield bytes(30)

    pace = Pace(grace_s=0.3, bytes_per_s=1000, crowded=lambda: crowded)
    arrived = 0
    try:
        async for _ in in_pace(trickle(), pace):
            arrived += 1
    except DeadlineExceeded:
        assert not arrives
    assert (arrived == 20) == arrives
