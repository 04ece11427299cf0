"""The tokens that open_clip 3.3 gives, recorded."""

import tracemalloc
from pathlib import Path

import pytest
from colorizer.tokenizer import encode

VOCABULARY = Path(__file__).parents[3] / "models" / "clip-vocabulary.txt.gz"
RECORDED = [
    ("", [49406, 49407]),
    ("red", [49406, 736, 49407]),
    ("a red climbing hold", [49406, 320, 736, 9877, 3254, 49407]),
    ("neon yellow", [49406, 13919, 4481, 49407]),
    ("Wood", [49406, 1704, 49407]),
    ("a hold made of BARE   wood", [49406, 320, 3254, 1105, 539, 14318, 1704, 49407]),
    (
        "it's the climber's: we've 21 holds & 3 feet!",
        [49406, 585, 568, 518, 36910, 568, 281, 649, 1200, 273, 272, 7286, 261, 274, 4804, 256, 49407],
    ),
    ("grün, öko-blau", [49406, 709, 6522, 333, 267, 7255, 2448, 268, 2205, 340, 49407]),
    ("민트색 홀드", [49406, 34442, 48974, 30587, 487, 31882, 222, 30850, 506, 49407]),
    ("très  léger €5.99", [49406, 635, 41210, 39641, 1502, 6309, 276, 269, 280, 280, 49407]),
    ("snake_case __x__", [49406, 8798, 318, 2068, 3838, 343, 3838, 49407]),
    ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", [49406, 32035, 32035, 32035, 32035, 32035, 32035, 5675, 22819, 49407]),
    ("don't!!! 50% (beige)...", [49406, 847, 713, 995, 276, 271, 260, 263, 26677, 15274, 49407]),
    ("😀 happy mint", [49406, 7334, 900, 7506, 49407]),
    ("a/b\\c <tag> &amp; &lt;3", [49406, 320, 270, 321, 315, 322, 283, 3640, 285, 261, 283, 274, 49407]),
]


@pytest.mark.parametrize(("caption", "tokens"), RECORDED)
def test_a_caption_has_the_tokens_that_open_clip_gives_it(caption, tokens):
    assert encode(VOCABULARY, [caption]) == [tokens]


def test_captions_have_the_same_tokens_together_as_alone():
    assert encode(VOCABULARY, [caption for caption, _ in RECORDED]) == [tokens for _, tokens in RECORDED]


def test_no_captions_have_no_tokens():
    assert encode(VOCABULARY, []) == []


def test_the_vocabulary_is_not_held_in_memory():
    tracemalloc.start()
    encode(VOCABULARY, [caption for caption, _ in RECORDED])
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1_000_000
