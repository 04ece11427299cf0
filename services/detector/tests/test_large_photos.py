"""The limit is what decoding costs, not how many pixels a photo shows."""

import io

import grpc
import pytest
from climbmate.detector.v1 import detector_pb2
from detector.finder import HoldFinder
from detector.settings import DetectorSettings
from PIL import Image
from servicekit.budget import MemoryBudget
from servicekit.rich_status import from_rpc_error

from bench.photos import heif
from bench.photos.cache import photo_path
from bench.photos.encode import blotches, heic
from bench.photos.hostile import HOSTILE

BUDGET_BYTES = 120_000_000  # less than what compose.yaml's limit leaves
PANORAMA_WH, SAMSUNG_WH = (16382, 3794), (16320, 12240)


@pytest.fixture
def finder(toy_network):
    return HoldFinder(toy_network, max_side_px=1280, max_pixels=DetectorSettings().detector_max_pixels)


def plain_jpeg(wh):
    buffer = io.BytesIO()
    Image.new("RGB", wh, (90, 90, 90)).save(buffer, "JPEG", quality=20)
    return buffer.getvalue()


async def refused(stub, photo):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.DetectHolds(detector_pb2.DetectHoldsRequest(photo=photo), timeout=30)
    return from_rpc_error(caught.value)


@pytest.mark.parametrize("wh", [PANORAMA_WH, (8160, 6144), SAMSUNG_WH])
async def test_a_jpeg_of_50_62_or_200_megapixels_is_looked_at(serve, finder, wh):
    budget = MemoryBudget(BUDGET_BYTES, queue_limit=1)
    async with serve(finder, budget=budget, deadline_s=30) as stub:
        answer = await stub.DetectHolds(detector_pb2.DetectHoldsRequest(photo=plain_jpeg(wh)))
    assert (answer.photo_size.width, answer.photo_size.height) == wh


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bomb-cropped.heic", "IMAGE_TOO_LARGE"),
        ("bomb-prefix-codes.webp", "IMAGE_TOO_LARGE"),
        ("bomb-65000x65000.png", "IMAGE_TOO_LARGE"),
        ("bomb-50mp.png", "IMAGE_TOO_LARGE"),
        ("bomb-second-header.png", "INVALID_IMAGE"),
    ],
)
async def test_a_bomb_is_refused_by_its_header(serve, finder, name, reason):
    async with serve(finder, budget=MemoryBudget(BUDGET_BYTES, queue_limit=1)) as stub:
        info = await refused(stub, photo_path(name, HOSTILE).read_bytes())
    assert info.reason == reason


async def test_a_photo_that_takes_too_much_is_refused_with_what_it_takes_and_what_there_is(serve, finder):
    async with serve(finder, budget=MemoryBudget(BUDGET_BYTES, queue_limit=1)) as stub:
        info = await refused(stub, photo_path("bomb-cropped.heic", HOSTILE).read_bytes())
    assert float(info.details["needed_mb"]) > 450  # it would take 496 MB
    assert float(info.details["budget_mb"]) == BUDGET_BYTES / 1e6


async def test_a_picture_that_is_decoded_again_and_again_is_refused_for_the_time_it_takes(serve, finder):
    tile = heif.coded(heic(blotches(512, 512)))
    photo = heif.file_of(heif.grid(40, 40, (40, 40), [2] * 1600), tile)
    async with serve(finder, budget=MemoryBudget(BUDGET_BYTES, queue_limit=1)) as stub:
        info = await refused(stub, photo)
    assert info.reason == "IMAGE_TOO_LARGE"
    assert int(info.details["decoded_pixels"]) == 1600 * 512 * 512
    assert int(info.details["max_pixels"]) == DetectorSettings().detector_max_pixels


async def test_an_operator_can_set_a_lower_bound(serve, toy_network):
    finder = HoldFinder(toy_network, max_side_px=1280, max_pixels=50_000_000)
    async with serve(finder) as stub:
        info = await refused(stub, plain_jpeg(PANORAMA_WH))
    assert info.reason == "IMAGE_TOO_LARGE"
    assert info.details["width"] == "16382"
