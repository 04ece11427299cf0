"""The outlines as an SVG over the photo's coordinates."""

from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

from gateway.web import answers

_UNCOLORED = (128, 128, 128)
_LINE_SHARE = 0.003  # of the photo's longer side


def draw(analysis: bytes) -> bytes:
    """Draw a result's JSON: every hold in its color as photographed, volumes below holds; titles tell what it is."""
    known = msgspec.json.decode(analysis, type=answers.Analysis)
    width, height = known.image.width, known.image.height
    svg = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}")
    line = f"{max(1.0, _LINE_SHARE * max(width, height)):.1f}"
    group = SubElement(svg, "g", {"stroke-width": line, "stroke-linejoin": "round", "fill-opacity": "0.25"})
    for hold in sorted(known.holds, key=lambda hold: -hold.area_px):
        _draw_hold(group, hold)
    return tostring(svg)


def _draw_hold(group: Element, hold: answers.Hold) -> None:
    shade = "#{:02x}{:02x}{:02x}".format(*(hold.color.rgb or _UNCOLORED))
    outline = SubElement(
        group,
        "polygon",
        {
            "points": " ".join(f"{x:g},{y:g}" for x, y in hold.polygon),
            "stroke": shade,
            "fill": shade,
            "data-hold-id": str(hold.id),
            "data-kind": hold.kind,
            "data-color": hold.color.name,
        },
    )
    if hold.problem_id is not None:
        outline.set("data-problem-id", hold.problem_id)
    title = SubElement(outline, "title")
    title.text = f"{hold.id}: {hold.color.name}" + (f", {hold.problem_id}" if hold.problem_id else "")
