import contextlib
from typing import Annotated

import msgspec
import pytest
from servicekit.settings import Address, BadSettings, ServiceSettings, load, read


class Settings(ServiceSettings, frozen=True, kw_only=True):
    toy_listen: Address = "127.0.0.1:1"
    max_holds: Annotated[int, msgspec.Meta(ge=1, le=300)] = 40
    degrade: bool = False


def settings(**environ: str) -> Settings:
    return read(Settings, prefix="TOY_", environ=environ)


def test_an_empty_environment_gives_the_defaults():
    assert settings() == Settings()


def test_an_empty_value_counts_as_not_set():
    assert settings(MAX_HOLDS="") == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MAX_HOLDS", "300", 300),
        ("TOY_LISTEN", "unix:/x", "unix:/x"),
        ("REQUEST_DEADLINE_S", "2.5", 2.5),
        ("DEGRADE", "1", True),
        ("MEMORY_LIMIT_MB", "256", 256),
    ],
)
def test_a_variable_sets_its_field(name, text, value):
    assert getattr(settings(**{name: text}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MAX_HOLDS", "many"),
        ("MAX_HOLDS", "0"),
        ("MAX_HOLDS", "301"),
        ("REQUEST_DEADLINE_S", "-1"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_is_named(name, text):
    with pytest.raises(BadSettings, match=f"{name}='{text}'"):
        settings(**{name: text})


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("0.0.0.0:0", True),
        ("[::1]:65535", True),
        ("unix:/run/x.sock", True),
        ("h:65536", False),
        ("h:", False),
        ("", True),
    ],
)
def test_an_address_has_a_port_that_exists(address, good):
    with contextlib.nullcontext() if good else pytest.raises(BadSettings, match="TOY_LISTEN"):
        settings(TOY_LISTEN=address)


def test_an_unknown_variable_with_the_services_prefix_is_named_and_others_are_ignored():
    with pytest.raises(BadSettings, match="TOY_LISTNE is not a setting"):
        settings(TOY_LISTNE="x", PATH="/bin")


def test_the_process_ends_with_one_line_and_code_2(monkeypatch, capsys):
    monkeypatch.setenv("MAX_HOLDS", "lots")
    with pytest.raises(SystemExit) as caught:
        load(Settings, prefix="TOY_")
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
