"""What the command prints of an analysis."""

import io

import pytest
from climbmate_client.answers import Analysis, Health, Image
from climbmate_client.cli import report
from rich.console import Console


def printed(*degraded):
    analysis = Analysis("01TEST", Image(640, 480), (), (), degraded=degraded)
    console = Console(file=io.StringIO(), width=120)
    for part in report.tables(analysis, Health(True, "serving", {})):
        console.print(part)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("degraded", "words"),
    [
        (["colors"], "in full: colors"),
        (["resolution"], "in full: small holds"),
        (["damaged"], "in full: what is lost of the photo's file"),
        (["colors", "damaged"], "in full: colors, what is lost of the photo's file"),
        (["something new"], "in full: something new"),
    ],
)
def test_what_an_answer_lacks_is_said_in_words(degraded, words):
    assert words in printed(*degraded)


def test_a_complete_answer_says_nothing_of_it():
    assert "in full" not in printed()
