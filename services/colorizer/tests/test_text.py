import gzip

import numpy as np
import pytest
from colorizer.text import Prompts, TextFiles
from servicekit.cancel import Cancelled, CancelToken
from servicekit.errors import InvalidParameter
from visionkit.errors import ModelError

RED, GREEN = np.array((200, 20, 20)), np.array((20, 200, 20))


def unit(*colors):
    return [np.sum(color, axis=0) / np.linalg.norm(np.sum(color, axis=0)) for color in colors]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64])
def test_any_number_of_prompts_gives_one_embedding_each_in_order(toy_text, count):
    prompts = [f"{'red' if i % 2 else 'green'} {i}" for i in range(count)]
    found = Prompts(toy_text, threads=1).embed(prompts, token=CancelToken())
    np.testing.assert_allclose(found, unit(*[[RED] if i % 2 else [GREEN] for i in range(count)]), atol=1e-6)


def test_known_prompts_cost_nothing_and_need_no_file(toy_text):
    prompts = Prompts(toy_text, threads=1)
    assert prompts.cost_bytes(["red"]) > toy_text.network.stat().st_size
    first = prompts.embed(["red"], token=CancelToken())
    toy_text.network.unlink()
    assert prompts.cost_bytes(["red"]) == 0
    np.testing.assert_array_equal(prompts.embed(["red", "red"], token=CancelToken()), np.repeat(first, 2, axis=0))


def test_only_the_last_thousand_are_kept(toy_text):
    prompts = Prompts(toy_text, threads=1)
    for start in range(0, 1088, 64):
        prompts.embed([f"red {i}" for i in range(start, start + 64)], token=CancelToken())
    assert prompts.cost_bytes(["red 0"]) > 0
    assert prompts.cost_bytes(["red 1087"]) == 0


def test_a_prompt_of_78_tokens_is_refused_and_one_of_77_is_not(toy_text):
    prompts = Prompts(toy_text, threads=1)
    assert len(prompts.embed(["red " * 75], token=CancelToken())) == 1
    with pytest.raises(InvalidParameter) as caught:
        prompts.embed(["green", "red " * 76], token=CancelToken())
    assert "78 tokens" in caught.value.details["palette"]
    assert prompts.cost_bytes(["green"]) > 0  # nothing of a refused palette is kept


def test_a_model_without_a_text_tower_says_so():
    with pytest.raises(InvalidParameter, match="own palette only"):
        Prompts(None, threads=1).cost_bytes(["red"])


def test_a_caller_who_leaves_stops_the_work(toy_text):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        Prompts(toy_text, threads=1).embed(["red"], token=token)


def test_another_kind_of_network_is_no_text_tower(toy_text, toy_tower_path):
    with pytest.raises(ModelError, match="tokens"):
        Prompts(TextFiles(toy_tower_path, toy_text.vocabulary), threads=1).embed(["red"], token=CancelToken())


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"a b\nc d"), gzip.compress(b"a b c\n" * 48_894)])
def test_another_file_is_no_vocabulary(toy_text, tmp_path, content):
    (tmp_path / "words.gz").write_bytes(content)
    with pytest.raises(ModelError, match="not a vocabulary"):
        Prompts(TextFiles(toy_text.network, tmp_path / "words.gz"), threads=1).embed(["red"], token=CancelToken())
