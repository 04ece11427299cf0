import cv2
import pillow_heif
import pytest
from visionkit import threads


@pytest.fixture(autouse=True)
def restored():
    before = cv2.getNumThreads(), pillow_heif.options.DECODE_THREADS
    yield
    cv2.setNumThreads(before[0])
    pillow_heif.options.DECODE_THREADS = before[1]


@pytest.mark.parametrize("count", [1, 2])
def test_the_limit_reaches_both_decoders(count):
    threads.limit(count)
    assert cv2.getNumThreads() == count
    assert count == pillow_heif.options.DECODE_THREADS
