"""CLIP's tokenizer: byte pair encoding as OpenAI's and open_clip's models were trained with.

After "Neural Machine Translation of Rare Words with Subword Units" (Sennrich et al., 2016), with CLIP's vocabulary;
gives the tokens that open_clip gives. It takes some 12 MB: make one, use it and let it go.
"""

import gzip
import html
import re
from itertools import pairwise
from pathlib import Path

from visionkit.errors import ModelError

MERGES = 48_894
"""Lines of the vocabulary file."""

_WORD_END = "</w>"
_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|(?:[^\s\w]|_)+")


class Tokenizer:
    """Turns captions into tokens."""

    def __init__(self, path: Path) -> None:
        """Read a gzipped text file of merges, one pair a line, the most frequent first.

        Raises:
            ModelError: The file is not such a vocabulary.
        """
        try:
            lines = gzip.decompress(path.read_bytes()).decode().split("\n")[:MERGES]
        except (OSError, EOFError, ValueError) as error:
            raise ModelError(f"{path} is not a vocabulary: {error}") from error
        pairs = sum(line.count(" ") == 1 for line in lines)
        if pairs != MERGES:
            raise ModelError(f"{path} is not a vocabulary: {pairs} merges, not {MERGES}")
        self._letters = _byte_letters()
        letters = list(self._letters.values())
        symbols = [*letters, *[letter + _WORD_END for letter in letters], *[line.replace(" ", "") for line in lines]]
        self._ranks = {line: rank for rank, line in enumerate(lines)}
        self._tokens = {symbol: token for token, symbol in enumerate(symbols)}
        self._start = len(symbols)

    def encode(self, caption: str) -> list[int]:
        """The tokens of a caption between those of its start and end, however many."""
        text = " ".join(html.unescape(html.unescape(caption)).split()).lower()
        tokens = [token for piece in _PIECE.findall(text) for token in self._of_piece(piece)]
        return [self._start, *tokens, self._start + 1]

    def _of_piece(self, piece: str) -> list[int]:
        letters = [self._letters[byte] for byte in piece.encode()]
        symbols = [*letters[:-1], letters[-1] + _WORD_END]
        while len(symbols) > 1:
            first = min(pairwise(symbols), key=self._rank)
            if self._rank(first) == MERGES:
                break
            symbols = _merged(symbols, first)
        return [self._tokens[symbol] for symbol in symbols]

    def _rank(self, pair: tuple[str, str]) -> int:
        return self._ranks.get(" ".join(pair), MERGES)


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
