import msgspec
import pytest
from gateway.web import answers, examples, failures, reports
from gateway.web.questions import AnalyzeQuery
from servicekit.limits import MAX_HOLDS

TYPES = {
    kind.__name__: kind
    for kind in (
        answers.Analysis,
        answers.Feedback,
        answers.FeedbackKept,
        answers.JobReport,
        answers.Palette,
        failures.FailureAnswer,
        reports.Health,
        reports.Probe,
    )
}


def as_json(answer):
    return msgspec.json.decode(msgspec.json.encode(answer))


@pytest.fixture
async def described(gate):
    return (await gate.http.get("/openapi.json")).json()


def each_answer(described):
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                for content in response.get("content", {}).values():
                    yield path, int(status), content


async def test_every_route_of_the_api_is_described(described):
    assert set(described["paths"]) == {
        "/api/analyze",
        "/api/analyze-stream",
        "/api/analyze-batch",
        "/api/jobs/{job_id}",
        "/api/jobs/{job_id}/events",
        "/api/feedback",
        "/api/palette",
        "/api/health",
        "/livez",
        "/readyz",
        "/metrics",
    }


async def test_every_json_example_fits_its_type(described):
    examined = 0
    for _, _, content in each_answer(described):
        if "example" in content and "$ref" in content["schema"]:
            kind = TYPES[content["schema"]["$ref"].rpartition("/")[2]]
            assert as_json(msgspec.convert(content["example"], kind)) == content["example"]
            examined += 1
    assert examined > 20


async def test_every_answer_is_described_with_the_one_media_type_that_it_has(described):
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    contents = [response.get("content", {}) for operation in operations for response in operation["responses"].values()]
    assert all(len(content) <= 1 for content in contents)
    assert list(described["paths"]["/api/analyze-stream"]["post"]["responses"]["200"]["content"]) == [
        "text/event-stream"
    ]


async def test_every_reference_leads_somewhere(described):
    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            node = list(node.values())
        for child in node if isinstance(node, list) else []:
            yield from references(child)

    for reference in set(references(described)):
        assert reference.rpartition("/")[2] in described["components"]["schemas"]


async def test_every_error_example_has_the_status_of_its_code(described):
    for _, status, content in each_answer(described):
        if content["schema"].get("$ref", "").endswith("FailureAnswer"):
            assert failures.STATUS[content["example"]["error"]["code"]] == status


async def test_real_answers_have_the_keys_of_their_examples(gate):
    def keys(node):
        if isinstance(node, dict):
            return {name: keys(value) for name, value in node.items()}
        return [keys(node[0])] if isinstance(node, list) and node else None

    real = (await gate.analyze()).json()
    assert keys(real) == keys(as_json(examples.ANALYSIS))
    assert keys((await gate.http.get("/api/palette")).json()) == keys(as_json(examples.PALETTE))
    health = (await gate.http.get("/api/health")).json()
    health["services"]["gateway"]["models"] = []
    assert keys(health) == keys(as_json(examples.health("serving")))


async def test_every_parameter_that_is_read_is_described_with_its_bounds(described):
    told = {one["name"]: one for one in described["paths"]["/api/analyze"]["post"]["parameters"]}
    assert set(told) == {*AnalyzeQuery.__struct_fields__, "x-request-deadline-ms"}
    assert told["max_holds"]["schema"] == {"type": "integer", "minimum": 1, "maximum": MAX_HOLDS}
    assert all(one["description"] and not one["required"] for one in told.values())
    follow = described["paths"]["/api/jobs/{job_id}/events"]["get"]["parameters"]
    assert [(one["name"], one["in"]) for one in follow] == [("job_id", "path"), ("last-event-id", "header")]


async def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(described):
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["description"] for operation in operations)
