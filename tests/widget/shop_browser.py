"""A shop's website with the script's tag, and a browser that visits it."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Website(ThreadingHTTPServer):
    """The shop's own server: each page has the script's tag, with `identity` as it is then."""

    daemon_threads = True
    tag = identity = ""

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.server_port}"


class OnePage(BaseHTTPRequestHandler):
    def do_GET(self):
        tag = f'<script async {self.server.tag} data-identity-token="{self.server.identity}"></script>'
        body = f"<!doctype html><html lang=en><link rel=icon href=data:,><body>{tag}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "private, no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def website():
    with Website(("127.0.0.1", 0), OnePage) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield site
        site.shutdown()
        thread.join()


@contextmanager
def shop_page(chromium, website, identity=""):
    """The shop's page in a browser; `page.said` is its console.

    No query may run inside: Playwright's loop makes Django open a second connection there, which nobody would close.
    """
    from playwright.sync_api import sync_playwright

    website.identity = identity
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page()
        page.set_default_timeout(10_000)
        page.said = []
        page.on("console", lambda message: page.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.said.append(f"error: {error}"))
        page.goto(website.origin)
        yield page
        browser.close()


def open_chat(page):
    page.wait_for_function("window.ChatKitPlatform")
    page.evaluate("ChatKitPlatform.open()")
    becomes(page, "ready")
    return page.locator("openai-chatkit")


def becomes(page, state):
    page.locator(f'chatkit-platform[data-state="{state}"]').wait_for(state="attached")


def say(page, text):
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("send").click()
    page.get_by_text(f"You wrote: “{text}”").wait_for()


def threads_of(chat, count):
    chat.and_(chat.page.locator(f'[data-threads="{count}"]')).wait_for()
