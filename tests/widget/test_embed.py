import gzip
import hashlib
import json

import pytest

from widget.checks import check_embed_script
from widget.embed import FOLDER, EmbedIncomplete, embed_scripts, read_scripts


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "embed.js").write_text("new();")
    (tmp_path / "chat.js").write_text("chat();")
    (tmp_path / "embed.js.meta.json").write_text('{"version": "1.2.0", "sri": "unread"}')
    return tmp_path


def test_the_committed_script_is_described_by_the_file_beside_it():
    stated = json.loads((FOLDER / "embed.js.meta.json").read_text())

    scripts = embed_scripts()
    chat = scripts.chats[stated["version"]]
    assert stated == {"version": scripts.current.version, "sri": scripts.current.sri, "chat_sri": chat.sri}
    assert chat.sri.encode() in scripts.current.body
    assert check_embed_script(None) == []


def test_the_hash_is_of_the_very_bytes_that_are_served(folder):
    script = read_scripts(folder).current

    expected = hashlib.sha384(b"new();").digest()
    assert script.sri.startswith("sha384-")
    assert script.etag == expected.hex()[:32]
    assert gzip.decompress(script.zipped) == script.body == b"new();"


def test_earlier_releases_stay_for_pages_that_pinned_them(folder):
    (folder / "1.1.0").mkdir()
    (folder / "1.1.0" / "embed.js").write_text("old();")

    scripts = read_scripts(folder)

    assert set(scripts.by_version) == {"1.1.0", "1.2.0"}
    assert scripts.by_version["1.1.0"].body == b"old();"
    assert scripts.current.version == "1.2.0"
    # A release of before the script was divided has no chat part.
    assert set(scripts.chats) == {"1.2.0"}


def test_the_chat_part_of_an_earlier_release_stays_for_launchers_of_before_a_deployment(folder):
    (folder / "1.1.0").mkdir()
    (folder / "1.1.0" / "chat.js").write_text("old chat();")

    chats = read_scripts(folder).chats

    assert {version: chat.body for version, chat in chats.items()} == {"1.1.0": b"old chat();", "1.2.0": b"chat();"}


@pytest.mark.parametrize("meta", ["", "{}", "[]", '{"version": "../x"}', '{"version": "1.2"}', '{"version": 1}'])
def test_a_script_without_a_usable_description_is_refused_with_the_cure(folder, meta):
    (folder / "embed.js.meta.json").write_text(meta)

    with pytest.raises(EmbedIncomplete, match="make frontend"):
        read_scripts(folder)


@pytest.mark.parametrize("name", ["embed.js", "chat.js"])
def test_a_missing_script_is_refused_with_the_cure(folder, name):
    (folder / name).unlink()

    with pytest.raises(EmbedIncomplete, match="make frontend"):
        read_scripts(folder)
