"""The stand-in in custom mode, in real Chromium: a frame of another origin speaks to a server of openai-chatkit's make."""

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.sandbox.chat_server import PICTURE, running_chat_server
from tests.sandbox.test_response_streams import until
from tests.sandbox.test_sites import entry, running_sites

pytestmark = pytest.mark.browser
MOUNT = """
async ({source, url, options, token}) => {
  const script = Object.assign(document.createElement("script"), {src: source});
  document.head.append(script);
  await customElements.whenDefined("openai-chatkit");
  window.heard = [];
  const chat = document.createElement("openai-chatkit");
  const said = (detail) => detail?.name ?? String(detail?.error ?? "");
  for (const name of ["ready", "effect", "error", "response.start", "response.end", "thread.change"])
    chat.addEventListener(`chatkit.${name}`, ({detail}) => window.heard.push([name, said(detail)]));
  chat.style.cssText = "position:fixed;inset:auto 1rem 1rem auto;width:24rem;height:36rem;min-height:36rem";
  window.token = token;
  chat.setOptions({
    ...options,
    api: {
      url, domainKey: "local-dev", uploadStrategy: {type: "two_phase"},
      fetch: (input, init) => fetch(input, {...init, headers: {...init.headers, Authorization: `Bearer ${window.token}`}}),
    },
    composer: {attachments: {enabled: true, accept: {"image/*": [".png"]}}},
    threadItemActions: {feedback: true},
    onClientTool: ({name, params}) => ({name, doubled: params.n * 2}),
  });
  document.body.append(chat);
}
"""


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(bypass_csp=True)
    page.set_default_timeout(10_000)
    yield page
    page.close()


@pytest.fixture
def server():
    with running_chat_server() as server:
        yield server


@pytest.fixture
def origin(sandbox):
    with running_sites(entry(chatkit=sandbox.url)) as [origin]:
        yield origin


@pytest.fixture
def frame(page, server, sandbox, origin):
    return mount(page, server, sandbox, origin)


def mount(page, server, sandbox, origin, token="ct1.good", **options):
    page.goto(origin)
    url = f"{server.uploads.origin}/chatkit"
    page.evaluate(MOUNT, {"source": sandbox.chatkit_js, "url": url, "options": options, "token": token})
    frame = page.frame_locator("openai-chatkit iframe")
    frame.get_by_test_id("composer").wait_for()
    return frame


def say(frame, text):
    frame.get_by_test_id("composer").fill(text)
    frame.get_by_test_id("send").click()


def answer(frame):
    return frame.locator('[data-testid="message"][data-role="assistant"]').last


def test_the_chat_lives_in_a_frame_of_another_origin_and_calls_by_the_pages_fetch(page, frame, server, sandbox, origin):
    say(frame, "Hello")

    expect(answer(frame)).to_contain_text("You said: Hello")
    expect(page.locator("openai-chatkit")).to_have_attribute("data-threads", "1")
    [inner] = page.frames[1:]
    assert inner.url == f"{sandbox.url}/chatkit-frame.html"
    assert [kind for kind, *_ in server.seen] == ["threads.list", "threads.create", "threads.list"]
    assert {(origin_, token) for _, origin_, token in server.seen} == {(origin, "Bearer ct1.good")}
    heard = [name for name, _ in page.evaluate("window.heard")]
    assert heard == ["ready", "response.start", "thread.change", "response.end"]
    assert page.locator("openai-chatkit").get_attribute("data-thread") in server.store.threads


def test_history_is_opened_renamed_and_deleted(page, frame, server):
    say(frame, "Hello")
    expect(page.locator("openai-chatkit")).to_have_attribute("data-threads", "1")
    frame.get_by_test_id("new-thread").click()
    expect(frame.get_by_test_id("greeting")).to_be_visible()

    frame.get_by_test_id("history-button").click()
    frame.get_by_test_id("history-rename").click()
    frame.get_by_test_id("rename-input").fill("My order")
    frame.get_by_test_id("rename-input").press("Enter")
    expect(frame.get_by_test_id("history-item")).to_have_text("My order")
    frame.get_by_test_id("history-item").click()

    expect(answer(frame)).to_contain_text("You said: Hello")
    frame.get_by_test_id("history-button").click()
    frame.get_by_test_id("history-delete").click()
    expect(page.locator("openai-chatkit")).to_have_attribute("data-threads", "0")
    assert server.store.threads == {}


def test_a_file_goes_from_the_frame_itself_to_where_the_server_says(frame, server, sandbox):
    files = [{"name": "a.png", "mimeType": "image/png", "buffer": PICTURE}]
    frame.get_by_test_id("attach").set_input_files(files)
    expect(frame.get_by_test_id("attachment")).to_have_attribute("data-state", "ready")
    say(frame, "Look")

    expect(answer(frame)).to_contain_text("You said: Look with 1 picture")
    expect(frame.get_by_test_id("message").first.get_by_test_id("picture")).to_be_visible()
    assert server.uploaded == [(sandbox.url, PICTURE)]
    assert set(server.previews) == {f"{sandbox.url}/"}


def test_a_tool_of_the_page_is_called_and_its_output_told(frame):
    say(frame, "tool")

    expect(answer(frame)).to_contain_text("The page answered {'name': 'cart', 'doubled': 4}")
    expect(frame.get_by_test_id("tool")).to_have_attribute("data-state", "done")


def test_the_visitor_stops_a_stream(page, frame, server):
    say(frame, "slow")
    expect(answer(frame)).to_contain_text("3 ")

    frame.get_by_test_id("stop").click()

    expect(frame.get_by_test_id("send")).to_be_visible()
    expect(page.locator("openai-chatkit")).not_to_have_attribute("data-busy", "")
    assert until(lambda: server.cancelled == 1)
    assert frame.get_by_test_id("error").count() == 0
    say(frame, "Hello")
    expect(answer(frame)).to_contain_text("You said: Hello")


def test_an_error_is_shown_in_words_and_another_try_succeeds(page, frame):
    say(frame, "break")
    expect(frame.get_by_test_id("error")).to_have_text("The model is resting.")

    frame.get_by_test_id("retry").click()

    expect(answer(frame)).to_contain_text("You said: break")
    expect(frame.get_by_test_id("error")).to_have_count(0)
    expect(frame.get_by_test_id("message")).to_have_count(2)
    assert ["error", "Error: The model is resting."] in page.evaluate("window.heard")


def test_questions_are_answered(frame):
    say(frame, "questions")
    frame.get_by_label("Blue").check()
    frame.get_by_test_id("answer").fill("Large")

    frame.get_by_test_id("submit-answers").click()

    expect(answer(frame)).to_contain_text("You chose [['Blue'], ['Large']]")
    expect(frame.get_by_test_id("answered")).to_contain_text("Which colour? Blue")


def test_a_widgets_button_is_an_action_of_the_thread(frame):
    say(frame, "widget")
    expect(frame.get_by_test_id("widget")).to_contain_text("A red bicycle")

    frame.get_by_test_id("widget-button").click()

    expect(answer(frame)).to_contain_text("You pressed order with M")


def test_an_effect_and_a_feedback_reach_their_places(page, frame, server):
    say(frame, "Hello")
    answer(frame).get_by_test_id("feedback-positive").click()
    expect(answer(frame).get_by_test_id("feedback-positive")).to_have_attribute("aria-pressed", "true")
    say(frame, "effect")

    page.wait_for_function("window.heard.some(([name, detail]) => name === 'effect' && detail === 'shop.blink')")
    assert server.feedback == ["positive"]


def test_a_refusal_is_shown_in_the_servers_words(page, server, sandbox, origin):
    frame = mount(page, server, sandbox, origin, token="ct1.dead")

    expect(frame.get_by_test_id("error")).to_contain_text("401: The chat token is not valid.")
