"""The community's Rust client, unmodified: keys, chats and refusals, its own reading of each beside what was sent.

It knows fewer members than the official SDKs, reads a new key's text inside `data`, and writes null for what it leaves
alone in a change.
"""

import json
import subprocess

import pytest

from calls import COST, HELLO, SHORT_COST, figures, spent
from clients import differences, installed
from contract import exact
from expected import as_new
from gateway import MANAGEMENT_KEY

pytestmark = pytest.mark.older_client

CONTENT = HELLO[0]["content"]


@pytest.fixture(scope="module")
def process():
    command = [installed("rust-client")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    yield process
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def ask(process, gateway):
    """Makes a call with a key, and says what the client made of it: a value or an error."""

    def ask(key, call, **given):
        asked = {"call": call, "base_url": f"{gateway.url}/api/v1", "key": key, "arguments": given}
        process.stdin.write(json.dumps(asked) + "\n")
        return exact(process.stdout.readline())

    return ask


@pytest.fixture
def sent(gateway):
    """Reads what the gateway says to the same question without a client between."""

    def sent(key, path):
        http, wire = gateway.http(key)
        http.get(f"/api/v1{path}")
        return wire.last.json["data"]

    return sent


def test_a_key_is_made_read_changed_and_deleted(ask, sent):
    made = ask(MANAGEMENT_KEY, "keys.create", name="rust", limit=2.5)["value"]
    path = f"/keys/{made['hash']}"
    data = sent(MANAGEMENT_KEY, path)
    assert differences(made, data | {"key": made["key"]}) == []
    assert ask(made["key"], "key") == {"value": described(sent(made["key"], "/key"))}

    assert differences(ask(MANAGEMENT_KEY, "keys.get", hash=made["hash"])["value"], data) == []
    listed = {row["hash"]: row for row in ask(MANAGEMENT_KEY, "keys.list", offset=0)["value"]}
    assert differences(listed[made["hash"]], data) == []
    changed = ask(MANAGEMENT_KEY, "keys.update", hash=made["hash"], name="renamed", disabled=True, limit=1)["value"]
    now = sent(MANAGEMENT_KEY, path)
    assert now == data | {"name": "renamed", "disabled": True, "limit": 1, "limit_remaining": 1, "updated_at": now["updated_at"]}
    assert differences(changed, now) == []
    assert ask(MANAGEMENT_KEY, "keys.delete", hash=made["hash"]) == {"value": True}
    assert ask(MANAGEMENT_KEY, "keys.get", hash=made["hash"])["error"]["status"] == 404


def described(data):
    """What it reads of `GET /key`."""
    names = ("label", "usage", "is_free_tier", "is_management_key", "limit", "limit_remaining")
    limits = {name: data["rate_limit"][name] for name in ("requests", "interval")}
    return {name: data[name] for name in names} | {"rate_limit": limits}


def test_a_change_that_would_take_the_limit_off_by_the_way_is_refused(ask, manage):
    # Unset members are null to it: taken at its word, disabling a key would lift its limit.
    key = manage.create(limit=1)
    refused = ask(MANAGEMENT_KEY, "keys.update", hash=key.hash, disabled=True)["error"]
    assert refused["status"] == 400 and "name" in refused["message"]
    assert manage.data(key) == key.data == as_new(key, limit=1, limit_remaining=1)


def test_a_chat_is_answered_streamed_and_charged(ask, manage, provider):
    key = manage.create()
    whole = ask(key.text, "chat", model="fake/plain", content=CONTENT)["value"]
    assert whole["choices"][0]["message"]["content"] == "Hold first, settle after."
    assert (whole["provider"], whole["usage"]["total_tokens"], whole["usage"]["cost"]) == ("Fake", 28, COST)
    chunks = ask(key.text, "chat.stream", model="fake/plain", content=CONTENT)["value"]
    words = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]]
    assert "".join(words) == "Hold first, settle after."
    assert [chunk["usage"]["cost"] for chunk in chunks if chunk.get("usage")] == [COST]
    assert figures(manage, key) == spent(key, 2 * COST)


def test_a_refusal_says_its_status_and_why(ask, manage, provider):
    key = manage.create(limit=SHORT_COST)
    for caller, call, given, status, message in (
        ("sk-or-v1-" + "0" * 64, "key", {}, 401, "User not found."),
        (key.text, "keys.list", {}, 403, "Only management keys"),
        (key.text, "chat", {"model": "fake/none", "content": CONTENT}, 400, "not a valid model ID"),
        (key.text, "chat", {"model": "fake/plain", "content": CONTENT}, 402, "Prompt tokens limit exceeded"),
        (MANAGEMENT_KEY, "chat", {"model": "fake/plain", "content": CONTENT}, 403, "Management keys cannot"),
    ):
        refused = ask(caller, call, **given)["error"]
        assert refused["status"] == status and message in refused["message"]
    assert provider.requests == []


def test_credits_and_models_are_read(ask, sent, manage):
    assert ask(MANAGEMENT_KEY, "credits")["value"] == sent(MANAGEMENT_KEY, "/credits")
    models = ask(manage.create().text, "models")["value"]
    assert [model["id"] for model in models] == [model["id"] for model in sent(None, "/models")]
