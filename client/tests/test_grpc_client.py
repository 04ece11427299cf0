"""The gRPC client against a real server."""

import grpc
import pytest
from climbmate_client import Client, GrpcClient, Retry, Unreachable, errors
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2


def refuse(servicer, code, reason, **details):
    status = status_pb2.Status(code=code.value[0], message="No.")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain="climbmate", metadata=details))
    retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=2))
    status.details.add().Pack(retry)
    servicer.refusal = (code, "No.")
    servicer.trailers = (("grpc-status-details-bin", status.SerializeToString()), ("x-request-id", "01J"))


def error_of(call):
    with pytest.raises(errors.ClimbmateError) as caught:
        call()
    return caught.value


def test_the_answer_is_the_one_of_http(grpc_gateway, gateway):
    with GrpcClient(grpc_gateway.target) as by_grpc, Client(gateway.url) as by_http:
        assert by_grpc.analyze(b"photo", max_holds=9, min_confidence=0.5) == by_http.analyze(b"photo")


def test_the_steps_are_those_of_http(grpc_gateway, gateway):
    with GrpcClient(grpc_gateway.target) as by_grpc, Client(gateway.url) as by_http:
        ours, theirs = list(by_grpc.stream(b"photo")), list(by_http.stream(b"photo"))
    assert [type(step) for step in ours] == [type(step) for step in theirs]
    assert ours[1:3] == theirs[1:3]
    assert ours[-1] == theirs[-1]


@pytest.mark.parametrize(
    "palette", ["mint, wood: bare wood", ["mint", "wood:bare wood"], {"mint": "", "wood": "bare wood"}]
)
def test_colors_of_ones_own_are_asked_for_by_name_and_in_words(grpc_gateway, palette):
    with GrpcClient(grpc_gateway.target) as climbmate:
        climbmate.analyze(b"photo", palette=palette)
        list(climbmate.stream(b"photo", palette=palette))
    asked = [[(color.name, color.prompt) for color in each.options.palette] for each in grpc_gateway.requests]
    assert asked == [[("mint", ""), ("wood", "bare wood")]] * 2


@pytest.mark.parametrize("palette", [None, "", (), {}])
def test_no_colors_of_ones_own_are_no_palette(grpc_gateway, palette):
    with GrpcClient(grpc_gateway.target) as climbmate:
        climbmate.analyze(b"photo", palette=palette)
    assert not grpc_gateway.requests[0].options.palette


@pytest.mark.parametrize("ask", [GrpcClient.analyze, lambda client, photo: list(client.stream(photo))])
def test_a_refusal_is_a_class_with_its_particulars(grpc_gateway, ask):
    refuse(grpc_gateway, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", needed_mb="90")
    with GrpcClient(grpc_gateway.target) as climbmate:
        error = error_of(lambda: ask(climbmate, b""))
    assert type(error) is errors.Overloaded
    assert (error.message, error.request_id, error.retry_after_s) == ("No.", "01J", 2.0)
    assert error.details == {"needed_mb": "90"}


def test_what_may_succeed_later_is_repeated(grpc_gateway, monkeypatch):
    waits = []
    monkeypatch.setattr("climbmate_client.retry.time.sleep", waits.append)
    refuse(grpc_gateway, grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    with GrpcClient(grpc_gateway.target, retry=Retry(attempts=3)) as climbmate:
        error_of(lambda: climbmate.analyze(b""))
    assert len(waits) == 2
    assert all(2.0 <= wait <= 2.5 for wait in waits)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, Unreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.DeadlineExceeded),
        (grpc.StatusCode.UNIMPLEMENTED, errors.NotClimbmate),
    ],
)
def test_a_failure_of_the_transport_keeps_its_meaning(grpc_gateway, code, kind):
    grpc_gateway.refusal = (code, "no details")
    with GrpcClient(grpc_gateway.target) as climbmate:
        assert type(error_of(lambda: climbmate.analyze(b""))) is kind


@pytest.mark.parametrize("ask", [GrpcClient.analyze, lambda client, photo: list(client.stream(photo))])
def test_a_photo_that_grpc_itself_refuses_for_its_size_is_too_large(grpc_gateway, ask):
    with GrpcClient(grpc_gateway.target) as climbmate:  # the fake one reads what grpcio reads by default, 4 MiB
        assert type(error_of(lambda: ask(climbmate, bytes(25 << 20)))) is errors.ImageTooLarge


NO_RETRY_INFO = status_pb2.Status(details=[{"type_url": "a/google.rpc.RetryInfo", "value": b"\xff"}])


@pytest.mark.parametrize("status", [b"\xff", NO_RETRY_INFO.SerializeToString()])
def test_details_that_cannot_be_read_are_passed_over(grpc_gateway, status):
    grpc_gateway.refusal = (grpc.StatusCode.UNAVAILABLE, "No.")
    grpc_gateway.trailers = (("grpc-status-details-bin", status),)
    with GrpcClient(grpc_gateway.target) as climbmate:
        assert type(error_of(lambda: climbmate.analyze(b""))) is Unreachable


def test_http_and_grpc_taken_for_each_other_are_one_error(grpc_gateway, gateway):
    with Client(f"http://{grpc_gateway.target}", timeout_s=5) as climbmate:
        assert type(error_of(climbmate.health)) in (Unreachable, errors.NotClimbmate)
    with GrpcClient(gateway.url.removeprefix("http://"), timeout_s=5) as climbmate:
        assert type(error_of(lambda: climbmate.analyze(b"photo"))) in (Unreachable, errors.DeadlineExceeded)


def test_a_channel_that_was_given_stays_open(grpc_gateway):
    with grpc.insecure_channel(grpc_gateway.target) as channel:
        for _ in range(2):
            with GrpcClient(channel=channel) as climbmate:
                assert climbmate.analyze(b"photo").holds
