"""CLIP's tokenizer: byte pair encoding as OpenAI's and open_clip's models were trained with.

After "Neural Machine Translation of Rare Words with Subword Units" (Sennrich et al., 2016), with CLIP's vocabulary;
gives the tokens that open_clip gives. The whole vocabulary would take 14 MB: of its merges only those are kept that
occur in the words at hand.
"""

import gzip
import html
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from visionkit.errors import ModelError

MERGES = 48_894
"""Lines of the vocabulary file."""

_WORD_END = "</w>"
_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|(?:[^\s\w]|_)+")
_FIRST_MERGED = 512  # before it come the letters, first within and then at the end of a word
_START = _FIRST_MERGED + MERGES
_END = _START + 1


def encode(vocabulary: Path, captions: Sequence[str]) -> list[list[int]]:
    """The tokens of each caption between those of its start and end, however many.

    Args:
        vocabulary: A gzipped text file of merges, one pair a line, the most frequent first.
        captions: Any texts.

    Raises:
        ModelError: The file is not such a vocabulary.
    """
    letters = _byte_letters()
    spelled = [
        ["".join(letters[byte] for byte in piece.encode()) + _WORD_END for piece in _PIECE.findall(_plain(caption))]
        for caption in captions
    ]
    different = {word for words in spelled for word in words}
    merges = _merges_within(vocabulary, different, list(letters.values()))
    tokens = {word: merges.tokens_of(word) for word in different}
    return [[_START, *(token for word in words for token in tokens[word]), _END] for words in spelled]


@dataclass(frozen=True, slots=True)
class _Merges:
    """The rank of each pair of symbols that is merged, and the token of each symbol."""

    ranks: dict[tuple[str, str], int]
    tokens: dict[str, int]

    def tokens_of(self, word: str) -> list[int]:
        """Merge the letters of a word, which stand with the mark of its end, until nothing can be merged."""
        last = len(_WORD_END) + 1
        symbols = [*word[:-last], word[-last:]]
        while len(symbols) > 1:
            first = min(pairwise(symbols), key=self._rank)
            if first not in self.ranks:
                break
            symbols = _merged(symbols, first)
        return [self.tokens[symbol] for symbol in symbols]

    def _rank(self, pair: tuple[str, str]) -> int:
        return self.ranks.get(pair, MERGES)


def _merges_within(vocabulary: Path, words: Iterable[str], letters: Sequence[str]) -> _Merges:
    """Read the merges whose result is a part of some word."""
    symbols = [*letters, *[letter + _WORD_END for letter in letters]]
    found = _Merges({}, {symbol: token for token, symbol in enumerate(symbols)})
    text, count = "\n".join(words), 0
    try:
        with gzip.open(vocabulary, "rt", encoding="utf-8", newline="\n") as lines:
            for rank, line in enumerate(lines):
                one, other = line.rstrip("\n").split(" ")
                count += 1
                if one + other in text:
                    found.ranks[one, other] = rank
                    found.tokens[one + other] = _FIRST_MERGED + rank
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ModelError(f"{vocabulary} is not a vocabulary: {error}") from error
    if count != MERGES:
        raise ModelError(f"{vocabulary} is not a vocabulary: {count} merges, not {MERGES}")
    return found


def _plain(caption: str) -> str:
    """Without HTML's escapes, capitals and spaces that count nothing."""
    return " ".join(html.unescape(html.unescape(caption)).split()).lower()


def _merged(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    """Put every occurrence of a pair together, from the left."""
    merged: list[str] = []
    i = 0
    while i < len(symbols):
        together = tuple(symbols[i : i + 2]) == pair
        merged.append("".join(pair) if together else symbols[i])
        i += 2 if together else 1
    return merged


def _byte_letters() -> dict[int, str]:
    """A printable letter for every byte: itself where it is printable, else one from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
