"""compose.yaml: the small profile without a cluster."""

import re

import pytest
import yaml
from servicekit import settings

from bench.profile import given_settings

MI = 1024 * 1024
SMALL_PROFILE_BYTES = 512_000_000


@pytest.fixture(scope="session")
def compose(root):
    return yaml.safe_load((root / "compose.yaml").read_text())


def memory_bytes(text):
    return int(re.fullmatch(r"(\d+)m", text)[1]) * MI


def test_compose_runs_every_service(compose, root):
    assert set(compose["services"]) == {folder.name for folder in (root / "services").iterdir()}


def test_all_services_together_fit_the_small_machine(compose):
    assert sum(memory_bytes(each["mem_limit"]) for each in compose["services"].values()) <= SMALL_PROFILE_BYTES


def test_a_limit_leaves_no_way_out_into_swap(compose, service):
    assert compose["services"][service]["memswap_limit"] == compose["services"][service]["mem_limit"]


def test_limits_are_those_of_the_small_kubernetes_profile(compose, service, root):
    patches = yaml.safe_load_all((root / "k8s/overlays/small/memory.yaml").read_text())
    containers = [each["spec"]["template"]["spec"]["containers"][0] for each in patches]
    limits = {each["name"]: each["resources"]["limits"]["memory"] for each in containers}
    assert compose["services"][service]["mem_limit"] == limits[service].removesuffix("i").lower()


def test_a_container_can_change_nothing_and_gain_nothing(compose, service):
    container = compose["services"][service]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]


def test_every_setting_can_be_set_from_outside_but_those_of_the_image(compose, service, defaults):
    of_the_image = {"MODELS_DIR"} | {name for name in defaults(service) if name.endswith("_LISTEN")}
    assert set(compose["services"][service]["environment"]) == set(defaults(service)) - of_the_image


def test_what_the_shell_sets_is_passed_on(compose, service):
    for name, value in compose["services"][service]["environment"].items():
        compose_s_own_address = name.endswith("_TARGET")
        assert compose_s_own_address or value is None or value.startswith(f"${{{name}:-")


def test_the_values_that_compose_gives_are_valid(compose, service, settings_kind):
    given = given_settings(compose["services"][service]["environment"])
    settings.read(settings_kind(service), prefix=f"{service.upper()}_", environ=given)


def test_the_health_check_asks_the_port_that_the_image_listens_on(compose, service, image):
    address = compose["services"][service]["healthcheck"]["test"][-1]
    assert int(address.rpartition(":")[2]) in image(service).ports


def test_the_gateway_finds_every_model_service(compose, image):
    variables = compose["services"]["gateway"]["environment"]
    for name in ("detector", "colorizer"):
        host, _, port = variables[f"GATEWAY_{name.upper()}_TARGET"].removeprefix("dns:///").partition(":")
        assert host == name
        assert int(port) in image(name).ports


def test_only_the_gateway_can_be_reached_from_outside(compose):
    assert compose["networks"]["models"]["internal"] is True
    for name, service in compose["services"].items():
        assert ("ports" in service) == (name == "gateway")
        assert ("edge" in service["networks"]) == (name == "gateway")


def test_a_drain_fits_into_the_stop_grace_period(compose, service, defaults):
    grace_s = int(compose["services"][service]["stop_grace_period"].removesuffix("s"))
    assert grace_s >= defaults(service)["DRAIN_WAIT_S"] + defaults(service)["DRAIN_LIMIT_S"] + 5
