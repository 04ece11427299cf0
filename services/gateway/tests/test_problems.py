import pytest
from gateway import problems
from gateway.domain import Color, Hold, Mask

MASK = Mask(1, 1, b"\x80")


def hold(number, kind="hold", box=(0.0, 0.0, 1.0, 1.0)):
    return Hold(number, kind, 0.9, box, (0.0, 0.0, 1.0, 0.0, 1.0, 1.0), 1, MASK)


def colored(*names):
    holds = [hold(number, box=(number, 2.0 * number, number + 1.0, 9.0)) for number in range(len(names))]
    return holds, {number: Color(name, 0.9, None) for number, name in enumerate(names) if name}


@pytest.mark.parametrize("names", [(), ("red", "red"), ("unknown",) * 5, ("",) * 5, ("red", "blue", "green")])
def test_there_is_no_problem_without_three_holds_of_one_known_color(names):
    assert problems.group(*colored(*names)) == ()


def test_a_problem_has_its_holds_ascending_and_the_box_around_them():
    holds, colors = colored("red", "blue", "red", "red")
    (problem,) = problems.group(reversed(holds), colors)
    assert (problem.id, problem.color, problem.hold_ids) == ("red-1", "red", (0, 2, 3))
    assert problem.box == (0.0, 0.0, 4.0, 9.0)


def test_most_holds_come_first_and_names_break_ties():
    found = problems.group(*colored(*["sky"] * 3, *["blue"] * 3, *["pink"] * 4))
    assert [problem.id for problem in found] == ["pink-1", "blue-1", "sky-1"]


def test_volumes_belong_to_the_wall():
    holds, colors = colored("red", "red", "red")
    assert problems.group([hold(0, "volume"), *holds[1:]], colors) == ()


def test_the_smallest_number_of_holds_can_be_chosen():
    assert len(problems.group(*colored("red", "red"), min_holds=2)) == 1


def test_every_hold_knows_its_problem():
    found = problems.group(*colored("red", "blue", "red", "red"))
    assert problems.by_hold(found) == {0: "red-1", 2: "red-1", 3: "red-1"}
