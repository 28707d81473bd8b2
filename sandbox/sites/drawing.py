"""Draws a site's page, stylesheet and pictures from the files in `pages/`; only the snippet goes in as it stands."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from sandbox.sites.config import Kind, Site
from sandbox.sites.shops import Article, shop_for

PAGES = Path(__file__).parent / "pages"


def page_of(site: Site) -> str:
    shop = shop_for(site.title)
    name = "stranger.html" if site.kind is Kind.STRANGER else "shop.html"
    return _template(name).substitute(
        title=escape(site.title),
        origin=escape(site.origin),
        headline=escape(shop.headline),
        promise=escape(shop.promise),
        picture=shop.picture,
        shelf=escape(shop.shelf),
        articles="".join(_article(article) for article in shop.articles),
        hours=escape(shop.hours),
        snippet_text=escape(site.snippet),
        snippet=site.snippet,
    )


def stylesheet_of(site: Site) -> str:
    return f":root {{ --accent: {site.accent}; }}\n" + (PAGES / "site.css").read_text(encoding="utf-8")


def pictures_of(site: Site) -> str:
    """The drawings in four shades of the accent: an SVG `use`d from another file inherits no variables of ours."""
    lighter, pale, darker = mixed(site.accent, 255, 0.45), mixed(site.accent, 255, 0.75), mixed(site.accent, 0, 0.3)
    return _template("pictures.svg").substitute(a=site.accent, b=lighter, c=pale, d=darker)


def icon_of(site: Site) -> str:
    open_tag = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    square = f'<rect width="32" height="32" rx="9" fill="{site.accent}"/>'
    return f'{open_tag}{square}<circle cx="16" cy="16" r="7" fill="#fff"/></svg>'


def mixed(colour: str, towards: int, share: float) -> str:
    """A colour mixed with black (0) or white (255)."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(part + (towards - part) * share):02x}" for part in parts)


def _article(article: Article) -> str:
    drawing = f'<svg aria-hidden="true"><use href="/pictures.svg#{article.picture}"></use></svg>'
    text = f"<h3>{escape(article.name)}</h3><p>{escape(article.note)}</p><strong>{escape(article.price)}</strong>"
    return f"<li>{drawing}<div>{text}</div></li>"


def _template(name: str) -> Template:
    return Template((PAGES / name).read_text(encoding="utf-8"))
