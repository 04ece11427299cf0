"""What the colorizer keeps of callers' palettes: a thousand prompts, each no more than its own embedding."""

from colorizer.text import _KNOWN_PROMPTS, Prompts
from servicekit.cancel import CancelToken


def test_a_known_prompt_keeps_none_of_those_that_were_encoded_with_it(toy_text):
    prompts = Prompts(toy_text, threads=1)
    for number in range(4):
        prompts.embed([f"red {number}", *(f"hold {number} {other}" for other in range(8))], token=CancelToken())
    kept = prompts._known.values()
    assert all(row.base is None for row in kept)


def test_no_more_than_a_thousand_prompts_are_kept_and_the_last_ones_are(toy_text):
    prompts = Prompts(toy_text, threads=1)
    for number in range(0, _KNOWN_PROMPTS + 200, 100):
        prompts.embed([f"hold {number + other}" for other in range(100)], token=CancelToken())
    assert len(prompts._known) == _KNOWN_PROMPTS
    assert prompts.cost_bytes([f"hold {_KNOWN_PROMPTS + 100}"]) == 0
    assert prompts.cost_bytes(["hold 0"]) > 0
