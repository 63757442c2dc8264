"""Lines over time as an SVG file, with nothing but text: for the one plot that docs/ shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _GAP = 860, 190, 62, 150, 34, 40
_PARTS = 4
_GRID, _INK, _MARK = "#d0d7de", "#57606a", "#bf8700"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its name, its colour, its values."""

    name: str
    colour: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes; `top` is the highest value shown."""

    title: str
    top: float
    lines: Sequence[Line]


def draw(path: Path, *, minutes: Sequence[float], panels: Sequence[Panel], marks: Sequence[tuple[float, str]]) -> None:
    """Write the panels below each other over the same time; `marks` are moments (in minutes) with a word each."""
    height = _TOP + len(panels) * (_HEIGHT + _GAP) + 10
    view = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
    ]
    longest = minutes[-1] or 1.0
    for number, panel in enumerate(panels):
        top = _TOP + number * (_HEIGHT + _GAP)
        out += _axes(panel, top, longest)
        for minute, word in marks:
            out.append(_rule(_x(minute, longest), top, _x(minute, longest), top + _HEIGHT, _MARK, dashed=True))
            if number == 0:
                out.append(_text(_x(minute, longest) + 3, top + 11, word, _MARK))
        for place, line in enumerate(panel.lines):
            points = " ".join(
                f"{_x(minute, longest):.1f},{top + _HEIGHT * (1 - min(value / panel.top, 1)):.1f}"
                for minute, value in zip(minutes, line.values, strict=True)
            )
            out.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.4"/>')
            out.append(_text(_x(longest, longest) + 8, top + 14 + 17 * place, line.name, line.colour))
    path.write_text("\n".join([*out, "</svg>"]) + "\n")


def _x(minute: float, longest: float) -> float:
    return _LEFT + minute / longest * (_WIDTH - _LEFT - _RIGHT)


def _axes(panel: Panel, top: float, longest: float) -> Iterator[str]:
    right = _x(longest, longest)
    yield _text(_LEFT, top - 8, panel.title, _INK)
    for part in range(_PARTS + 1):
        y = top + _HEIGHT * (1 - part / _PARTS)
        yield _rule(_LEFT, y, right, y, _GRID)
        yield _text(_LEFT - 6, y + 4, f"{panel.top * part / _PARTS:g}", _INK, anchor="end")
        minute = longest * part / _PARTS
        yield _text(_x(minute, longest), top + _HEIGHT + 16, f"{minute:.0f} min", _INK, anchor="middle")


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="3 3"' if dashed else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dash}/>'


def _text(x: float, y: float, words: str, colour: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{words}</text>'
