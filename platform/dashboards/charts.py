"""Charts as plain SVG: geometry only. Colours are classes of the stylesheet, so that a strict CSP and both themes hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.figures import Bar
from sessions_api.outcomes import OutcomeGroup

WIDTH, HEIGHT = 960, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 12, 28


@dataclass(frozen=True, slots=True)
class Block:
    """One rectangle of a stacked bar; `group` names its class."""

    x: float
    y: float
    width: float
    height: float
    group: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    position: float
    label: str


@dataclass(frozen=True, slots=True)
class StackedBars:
    blocks: tuple[Block, ...]
    columns: tuple[Tick, ...]
    rows: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def stacked_bars(bars: Sequence[Bar], *, label: str = "%H:%M") -> StackedBars:
    highest = nice_ceiling(max((bar.total for bar in bars), default=0))
    plot_width, plot_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = plot_width / max(1, len(bars))
    blocks: list[Block] = []
    for index, bar in enumerate(bars):
        bottom = float(HEIGHT - BOTTOM)
        for group in OutcomeGroup:
            amount = int(getattr(bar, group.value))
            if not amount:
                continue
            height = plot_height * amount / highest
            bottom -= height
            title = f"{bar.start:%Y-%m-%d %H:%M} UTC: {amount} {group.label}"
            x = LEFT + index * step + step * 0.12
            box = (round(x, 2), round(bottom, 2), round(step * 0.76, 2), round(height, 2))
            blocks.append(Block(*box, group=group.value, title=title))
    every = max(1, len(bars) // 12)
    return StackedBars(
        blocks=tuple(blocks),
        columns=tuple(
            Tick(round(LEFT + (index + 0.5) * step, 1), bar.start.strftime(label))
            for index, bar in enumerate(bars)
            if index % every == 0
        ),
        rows=tuple(
            Tick(round(HEIGHT - BOTTOM - plot_height * share, 1), f"{highest * share:g}")
            for share in (0.0, 0.25, 0.5, 0.75, 1.0)
        ),
    )


def nice_ceiling(amount: int) -> int:
    """The next of 4, 8, 20, 40, 80, 200 … : quarters of it are whole numbers."""
    ceiling = 4
    while ceiling < amount:
        ceiling = ceiling * 5 // 2 if str(ceiling).startswith("8") else ceiling * 2
    return ceiling
