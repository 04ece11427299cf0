"""What a decode takes is known from the header: never less than it takes, and not much more."""

import pytest

from bench.decode_cost import measure
from bench.photos.cache import photo_path
from bench.photos.honest import HONEST

TIGHT_ABOVE_PX = 2_000_000
SMALL_CHANGE_BYTES = 4_000_000  # what the prediction adds to every photo, and what differs from run to run


@pytest.mark.parametrize("name", HONEST)
def test_the_predicted_cost_covers_the_measured_peak_and_is_at_most_half_as_much_again(name):
    cost = measure(photo_path(name, HONEST))
    assert cost.measured_bytes <= cost.predicted_bytes
    if cost.pixels > TIGHT_ABOVE_PX:
        assert cost.predicted_bytes <= 1.5 * cost.measured_bytes + SMALL_CHANGE_BYTES
