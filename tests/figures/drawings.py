"""What stands in a picture: its shapes, its words, and which numbers its places mean."""

import math
from collections.abc import Callable
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
LEFT, TOP, BOTTOM = 72, 48, 260  # of the axes


def shapes(svg: str, tag: str, name: str) -> list[ET.Element]:
    root = ET.fromstring(svg)  # noqa: S314 - drawn by ourselves
    return [each for each in root.iter(SVG + tag) if name in each.attrib.get("class", "").split()]


def numbers(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def points(element: ET.Element) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in element.attrib["points"].split()]
    return [(float(x), float(y)) for x, y in pairs]


def words(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314
    return [each.text or "" for each in root.iter(SVG + "text")]


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def heights(svg: str, straight: Callable[[float], float] = float) -> Callable[[float], float]:
    """Where a number stands by the marks of the y axis, as a reader with a ruler finds it."""
    ticks = [
        each
        for each in shapes(svg, "text", "end")
        if float(each.attrib["x"]) < LEFT and float(each.attrib["y"]) < BOTTOM + 5
    ]
    at = {float((t.text or "").replace("−", "-")): float(t.attrib["y"]) - 4.5 for t in ticks}
    return _ruler(at, straight)


def widths(svg: str, straight: Callable[[float], float] = float) -> Callable[[float], float]:
    """The same of the x axis."""
    ticks = [
        each
        for each in shapes(svg, "text", "middle")
        if BOTTOM < float(each.attrib["y"]) < BOTTOM + 25
    ]
    at = {_number(t.text or ""): float(t.attrib["x"]) for t in ticks}
    return _ruler(at, straight)


def _number(label: str) -> float:
    digits = label.replace("−", "-")
    return float(digits.removesuffix("k")) * (1000 if digits.endswith("k") else 1)


def _ruler(at: dict[float, float], straight: Callable[[float], float]) -> Callable[[float], float]:
    low, high = min(at), max(at)
    step = (at[high] - at[low]) / (straight(high) - straight(low))
    return lambda value: at[low] + step * (straight(value) - straight(low))
