"""Every pair of ink and ground in the stylesheet reaches WCAG AA, in both schemes."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

TEXT, GRAPHIC = 4.5, 3.0
PAIRS = (
    *(
        (ink, ground, TEXT)
        for ink in ("ink", "muted", "accent", "accent-strong")
        for ground in ("ground", "surface", "sunken")
    ),
    *((tone, f"{tone}-wash", TEXT) for tone in ("ok", "warn", "bad", "info", "idle")),
    *((tone, "surface", TEXT) for tone in ("ok", "bad", "danger")),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("on-danger", "danger-fill", TEXT),
    ("accent-strong", "accent-wash", TEXT),
    ("ink", "accent-wash", TEXT),
    ("control", "surface", GRAPHIC),
    ("accent", "ground", GRAPHIC),
)


def colours() -> dict[str, tuple[str, str]]:
    sheet = Path(str(finders.find("console/console.css"))).read_text()
    return {
        name: (light, dark) for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\)", sheet)
    }


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_the_pair_is_readable(ink, ground, least, scheme):
    index = ("light", "dark").index(scheme)

    assert contrast(colours()[ink][index], colours()[ground][index]) >= least
