"""What the demo's shops sell: enough for a page that looks like somebody's business."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Article:
    """One thing on the shelf; `picture` names a drawing in pictures.svg."""

    name: str
    note: str
    price: str
    picture: str


@dataclass(frozen=True)
class Shop:
    words: tuple[str, ...]
    headline: str
    promise: str
    picture: str
    shelf: str
    articles: tuple[Article, ...]
    hours: str


BOOKS = Shop(
    words=("book", "read", "press", "paper"),
    headline="Books that somebody here has read",
    promise="A small shop by the canal. We stock four thousand titles and an opinion on each of them; ask us anything.",
    picture="stack",
    shelf="On the front table this week",
    articles=(
        Article("The Salt Road", "A ferry, two sisters, one winter", "€ 18.50", "book-a"),
        Article("A Field Guide to Moss", "With 212 drawings", "€ 24.00", "book-b"),
        Article("Night Trains", "Essays on sleeping badly across Europe", "€ 16.90", "book-c"),
        Article("Bread, Slowly", "Forty loaves and their failures", "€ 29.00", "book-d"),
    ),
    hours="Open Tuesday to Saturday, 10 to 18",
)
BIKES = Shop(
    words=("bike", "cycle", "velo", "wheel"),
    headline="Bicycles for people with somewhere to be",
    promise="Built and mended in our own workshop since 1994. Tell us how you ride; we say what you can leave out.",
    picture="bike",
    shelf="Ready to ride home",
    articles=(
        Article("Harbour 3", "Three gears, one basket, no worries", "€ 640", "bike"),
        Article("Longhaul", "Steel, racks front and back", "€ 1,290", "tourer"),
        Article("Bell, brass", "Heard by everybody, hated by nobody", "€ 22", "bell"),
        Article("Winter check", "Brakes, chain, lights, an honest word", "€ 65", "tool"),
    ),
    hours="Workshop open Monday to Friday, 8 to 18",
)
STORE = Shop(
    words=(),
    headline="Good things for the house",
    promise="Lamps, mugs and small furniture from makers we know by name. Questions are welcome at any hour.",
    picture="lamp",
    shelf="New this season",
    articles=(
        Article("Desk lamp", "Bends where you want it to", "€ 89", "lamp"),
        Article("Stoneware mug", "Holds a proper amount", "€ 19", "mug"),
        Article("Stool no. 4", "Oak, three legs, no wobble", "€ 145", "stool"),
        Article("Notebook", "Lies flat when open", "€ 12", "book-b"),
    ),
    hours="Orders leave the same day until 15:00",
)


def shop_for(title: str) -> Shop:
    """The shop whose words occur in a site's title; the general store for any other."""
    name = title.lower()
    return next((shop for shop in (BOOKS, BIKES) if any(word in name for word in shop.words)), STORE)
