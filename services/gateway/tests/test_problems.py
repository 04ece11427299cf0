"""Which holds a climber would call one problem. The walls here are 400 pixels high, so that a pixel is a centimeter."""

import time

import pytest
from gateway import problems
from gateway.domain import Color, Hold, Mask

MASK = Mask(1, 1, b"\x80")


class Wall:
    """Holds at given centers, numbered as they come; two gray volumes mark the wall's lower and upper edge."""

    def __init__(self, width=400, height=400):
        self.holds, self.colors = [], {}
        for y in (height - 10, 10):
            self.add("gray", (width / 2, y), kind="volume")

    def add(self, color, *centers, kind="hold", side=20, rgb=(200, 40, 40)):
        numbers = []
        for x, y in centers:
            number = len(self.holds)
            box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
            self.holds.append(Hold(number, kind, 0.9, box, (0.0, 0.0, 1.0, 0.0, 1.0, 1.0), side * side, MASK))
            if color:
                self.colors[number] = Color(color, 0.9, rgb)
            numbers.append(number)
        return tuple(numbers)

    def problems(self, **options):
        return problems.group(self.holds, self.colors, **options)


def ladder(x, count, *, step=60, bottom=360):
    return [(x, bottom - step * number) for number in range(count)]


@pytest.mark.parametrize("names", [(), ("red", "red"), ("unknown",) * 5, ("",) * 5, ("red", "blue", "green")])
def test_there_is_no_problem_without_three_holds_of_one_known_color(names):
    wall = Wall()
    for name, center in zip(names, ladder(100, 5), strict=False):
        wall.add(name, center)
    assert wall.problems() == ()


def test_a_photo_without_holds_has_no_problems():
    assert problems.group([], {}) == ()


def test_a_problem_has_its_holds_ascending_and_the_box_around_them():
    wall = Wall()
    first = wall.add("red", (100, 300))
    wall.add("blue", (120, 250))
    rest = wall.add("red", (140, 240), (110, 180))
    (problem,) = problems.group(list(reversed(wall.holds)), wall.colors)
    assert (problem.id, problem.color, problem.hold_ids) == ("red-1", "red", first + rest)
    assert problem.box == (90.0, 170.0, 150.0, 310.0)


def test_most_holds_come_first_then_the_higher_ones_then_the_name():
    wall = Wall()
    wall.add("sky", *ladder(50, 3, step=40))
    wall.add("blue", *ladder(150, 3, step=40))
    wall.add("pink", *ladder(250, 4, step=40))
    wall.add("green", *ladder(350, 3, step=90))
    assert [problem.id for problem in wall.problems()] == ["pink-1", "green-1", "blue-1", "sky-1"]


def test_two_problems_of_one_color_far_apart_on_a_wide_wall_are_told_apart():
    wall = Wall(width=1600)
    left = wall.add("red", *ladder(200, 4))
    right = wall.add("red", *ladder(1300, 5))
    found = wall.problems()
    assert [(problem.id, problem.hold_ids) for problem in found] == [("red-1", right), ("red-2", left)]


def test_one_problem_that_crosses_a_wide_wall_stays_one():
    wall = Wall(width=1600)
    wall.add("red", *[(100 + 150 * number, 300 - 15 * number) for number in range(10)])
    (problem,) = wall.problems()
    assert len(problem.hold_ids) == 10


def test_a_color_that_is_set_sparsely_stays_one_problem():
    wall = Wall(width=1600)
    wall.add("red", (100, 300), (350, 200), (600, 250), (850, 150))
    assert [len(problem.hold_ids) for problem in wall.problems()] == [4]


def test_a_hold_far_from_all_others_of_its_color_joins_none():
    wall = Wall(width=1600)
    near = wall.add("red", *ladder(200, 4))
    wall.add("red", (1500, 200))
    (problem,) = wall.problems()
    assert problem.hold_ids == near


@pytest.mark.parametrize(("distance", "joins"), [(60, True), (150, False)])
def test_a_tiny_hold_joins_only_when_it_is_near(distance, joins):
    wall = Wall()
    near = wall.add("red", *ladder(100, 5), side=30)
    tiny = wall.add("red", (100 + distance, 240), side=4)
    (problem,) = wall.problems()
    assert problem.hold_ids == (near + tiny if joins else near)


def test_a_tiny_hold_between_two_others_does_not_keep_them_together():
    wall = Wall(width=1600)
    left, right = wall.add("red", *ladder(200, 4), side=40), wall.add("red", *ladder(520, 4), side=40)
    wall.add("red", (360, 200), side=5)
    assert sorted(problem.hold_ids for problem in wall.problems()) == [left, right]


def test_volumes_belong_to_the_wall():
    wall = Wall()
    wall.add("black", *ladder(200, 5), kind="volume", side=80)
    assert wall.problems() == ()


def test_a_colored_volume_joins_the_holds_of_its_color():
    wall = Wall()
    holds = wall.add("red", *ladder(100, 3))
    volume = wall.add("red", (160, 240), kind="volume", side=80)
    (problem,) = wall.problems()
    assert problem.hold_ids == holds + volume


def test_volumes_alone_make_no_problem():
    wall = Wall()
    wall.add("red", *ladder(200, 5), kind="volume", side=80)
    wall.add("red", *ladder(100, 2))
    assert wall.problems() == ()


def test_the_smallest_number_of_holds_can_be_chosen():
    wall = Wall()
    wall.add("red", *ladder(100, 2))
    wall.add("blue", *ladder(200, 4))
    assert [problem.id for problem in wall.problems(min_holds=2)] == ["blue-1", "red-1"]
    assert wall.problems(min_holds=5) == ()


def test_every_hold_knows_its_problem():
    wall = Wall()
    ids = wall.add("red", *ladder(100, 3))
    assert problems.by_hold(wall.problems()) == dict.fromkeys(ids, "red-1")


def test_the_facts_compare_with_the_height_of_the_wall():
    wall = Wall()
    wall.add("red", (100, 350), (100, 310), (100, 150), side=20)
    (problem,) = wall.problems()
    assert problem.height_span == pytest.approx(220 / 400)
    assert problem.reach_mean == pytest.approx((40 + 160) / 2 / 400)
    assert problem.reach_max == pytest.approx(160 / 400)
    assert problem.confidence == pytest.approx(0.9 * 0.9)
    assert problem.rgb == (200, 40, 40)


def test_the_share_of_small_holds_is_told():
    wall = Wall()
    wall.add("red", *ladder(100, 3, step=40), side=20)
    wall.add("red", (130, 300), side=7)
    (problem,) = wall.problems()
    assert problem.small_share == pytest.approx(0.25)


def test_the_color_of_a_problem_is_the_median_of_what_was_measured():
    wall = Wall()
    for rgb, center in zip([(10, 0, 9), None, (30, 5, 7), (20, 9, 8)], ladder(100, 4), strict=True):
        wall.add("red", center, rgb=rgb)
    (problem,) = wall.problems()
    assert problem.rgb == (20, 5, 8)


def test_the_most_holds_are_grouped_within_a_tenth_of_a_second():
    wall = Wall(width=3000)
    wall.add("brown", *[(50 + 97 * number % 2900, 20 + 61 * number % 360) for number in range(298)])
    start_s = time.perf_counter()
    wall.problems()
    assert time.perf_counter() - start_s < 0.1
