"""One scenario for every official client, whatever its language and generation: what it does, what it sees, what it costs.

Each call is held three ways: the answer to the contract, its numbers to those worked out by hand, and what the SDK made
of it to the answer. So any two clients that pass saw the same.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace

import pytest

from calls import COST, EMBEDDING_COST, HELLO, SHORT, SHORT_COST, WINDOWS, figures, lasting, spent
from clients import OPENAI, OPENROUTER, assert_refused, differences
from conftest import MODELS
from expected import EXTENSIONS, as_new, check_embeddings, check_stream, check_whole_answer, instant
from fake_provider import Script
from gateway import MANAGEMENT_KEY, NOON

UNKNOWN_KEY = "sk-or-v1-" + "0" * 64
UNKNOWN_HASH = "0" * 64
BASE_PATHS = ("/api/v1", "/v1")

# When a key spent how much: on a Wednesday, the days that make each window's figure another one.
LAST = datetime(2026, 12, 16, 12, tzinfo=timezone.utc)
AGES = (
    (NOON, Script(), COST),
    (LAST - timedelta(days=14), SHORT, SHORT_COST),
    (LAST - timedelta(days=2), Script(), COST),
    (LAST, SHORT, SHORT_COST),
)


def each(clients):
    marks = {True: (), False: pytest.mark.older_client}
    return [pytest.param(client, id=client.name, marks=marks[client.is_newest]) for client in clients]


@pytest.fixture(params=each(OPENROUTER))
def client(request):
    return request.param


@pytest.fixture
def sdk(client, start_driver, gateway):
    """Makes the client's SDK with a key, against the gateway that most tests share."""
    return lambda key: start_driver(client).at(f"{gateway.url}/api/v1", key)


@pytest.fixture
def manager(sdk):
    return sdk(MANAGEMENT_KEY)


@pytest.fixture(params=[(client, path) for client in OPENAI for path in BASE_PATHS], ids=lambda it: f"{it[0]}{it[1]}")
def openai_sdk(request, start_driver, gateway):
    """Makes an OpenAI SDK with a key, on one of the paths that the API is served under."""
    client, path = request.param
    return lambda key: start_driver(client).at(gateway.url + path, key)


@pytest.fixture(scope="session")
def crowd(start_gateway, session_provider):
    """A gateway with 101 keys and a disabled one, which nobody changes; `rows` are those listed, by their hash."""
    gateway = start_gateway({"fake": session_provider.base_url}, MODELS)
    http, wire = gateway.http(MANAGEMENT_KEY)
    rows = {}
    for number in range(101):
        http.post("/api/v1/keys", json={"name": f"key {number}"})
        data = wire.last.json["data"]
        rows[data["hash"]] = {member: value for member, value in data.items() if member != "key"}
    http.post("/api/v1/keys", json={"name": "disabled"})
    http.patch(f"/api/v1/keys/{wire.last.json['data']['hash']}", json={"disabled": True})
    return SimpleNamespace(url=gateway.url, rows=rows)


@pytest.fixture(scope="session")
def aged(start_gateway, session_provider):
    """A key that spent in last month, earlier this month, earlier this week and today; so each window has its own figure."""
    gateway = start_gateway({"fake": session_provider.base_url}, MODELS)
    session_provider.reset()
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", json={"name": "conformance", "limit": 2, "limit_reset": "weekly"})
    key = made(wire.last)
    spender, _ = gateway.http(key.text)
    total, month, week, today = 0, 0, 0, 0
    for moment, script, cost in AGES:
        gateway.clock.set(moment)
        session_provider.script = script
        spender.post("/api/v1/chat/completions", json={"model": "fake/plain", "messages": HELLO})
        total += cost
        month += cost * (moment.month == LAST.month)
        week += cost * (moment >= LAST - timedelta(days=2))
        today += cost * (moment == LAST)
    used = dict(zip(WINDOWS, (total, today, week, month)))
    assert len(set(used.values())) == 4
    key.data |= used | {"limit_remaining": 2 - week}
    return SimpleNamespace(url=gateway.url, key=key)


def create(manager, **settings):
    """Makes a key: its text, its hash, and the whole `data` as it crossed the wire."""
    return made(manager.read("keys.create", **{"name": "conformance"} | settings).wire)


def made(answer):
    body = answer.json
    data = {member: value for member, value in body["data"].items() if member != "key"}
    return SimpleNamespace(text=body["key"], hash=data["hash"], data=data)


def read(manager, key):
    """`GetKeyData` of `key`, its numbers exact, once the SDK has seen the same."""
    return manager.read("keys.get", hash=key.hash).wire.json["data"]


# Keys


def test_a_key_is_made_and_read_with_every_setting(manager):
    expiry = "2027-01-01T00:00:00Z"
    settings = {"name": "ci", "limit": 25.5, "limit_reset": "weekly", "include_byok_in_limit": True}
    reply = manager.read("keys.create", **settings, expires_at=expiry)
    key = made(reply.wire)

    assert reply.wire.status == 201
    assert reply.value["key"] == key.text
    limit = {"limit": Decimal("25.5"), "limit_remaining": Decimal("25.5"), "expires_at": key.data["expires_at"]}
    assert key.data == as_new(key, **settings | limit)
    assert instant(key.data["expires_at"]) == instant(expiry)
    assert read(manager, key) == key.data


def test_what_a_client_leaves_unread_is_only_what_came_after_it(client, manager, sdk):
    key = create(manager, limit=1)
    for reply, unread in (
        (manager.read("keys.get", hash=key.hash), client.key_unread),
        (manager.read("key"), client.current_unread),
        (sdk(key.text).read("key"), client.current_unread),
    ):
        data = reply.wire.json["data"]
        dropped = data.keys() - reply.value["data"].keys()
        # Ours knows every member; of those that only newer servers send it leaves out what is null.
        expected = {member for member in dropped if data[member] is None} if client.is_ours else {*unread, *EXTENSIONS}
        assert dropped == expected


def test_101_keys_are_a_page_of_100_a_page_of_1_and_an_empty_one(client, start_driver, crowd):
    manager = start_driver(client).at(f"{crowd.url}/api/v1", MANAGEMENT_KEY)
    pages = [manager.read("keys.list", offset=offset) for offset in (0, 100, 101)]

    assert [len(page.value["data"]) for page in pages] == [100, 1, 0]
    listed = [row for page in pages for row in page.wire.json["data"]]
    assert {row["hash"]: row for row in listed} == crowd.rows
    assert len(manager.read("keys.list", offset=100, include_disabled=True).value["data"]) == 2


@pytest.mark.parametrize(
    ("change", "then"),
    [
        ({"name": "renamed"}, {"name": "renamed"}),
        ({"disabled": True}, {"disabled": True}),
        ({"limit": 0.1}, {"limit": Decimal("0.1"), "limit_remaining": Decimal("0.1")}),
        ({"limit": None}, {"limit": None, "limit_remaining": None}),
        ({"limit_reset": "monthly"}, {"limit_reset": "monthly"}),
        ({"limit_reset": None}, {"limit_reset": None}),
        ({"include_byok_in_limit": True}, {"include_byok_in_limit": True}),
    ],
    ids=str,
)
def test_a_change_changes_its_field_and_nothing_else(manager, change, then):
    key = create(manager, limit=7, limit_reset="daily")
    data = manager.read("keys.update", hash=key.hash, **change).wire.json["data"]

    assert data == key.data | then | {"updated_at": data["updated_at"]}
    assert instant(data["updated_at"]).date() == NOON.date()
    assert read(manager, key) == data


def test_a_deleted_key_is_gone(client, manager, sdk):
    key = create(manager)
    assert manager.read("keys.delete", hash=key.hash).value == {"deleted": True}
    for call in ("keys.get", "keys.delete"):
        assert_refused(client, manager, call, 404, "Resource not found", hash=key.hash)
    assert_refused(client, sdk(key.text), "key", 401, "User not found.")


# Paid calls


def test_a_chat_is_answered_and_charged_to_the_nano_dollar(manager, sdk, provider):
    key = create(manager, limit=2, limit_reset="daily")
    reply = sdk(key.text).read("chat", model="fake/plain", messages=HELLO)

    assert reply.value["choices"][0]["message"]["content"] == "Hold first, settle after."
    check_whole_answer(reply.wire.json)
    assert lasting(read(manager, key)) == spent(key, COST) | {"limit_remaining": 2 - COST}
    current = sdk(key.text).read("key").wire.json["data"]
    assert [current[window] for window in (*WINDOWS, "limit_remaining")] == [COST] * 4 + [2 - COST]


def test_a_streamed_chat_is_charged_before_its_end(manager, sdk, provider):
    key = create(manager)
    reply = sdk(key.text).read("chat", model="fake/plain", messages=HELLO, stream=True)

    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in reply.value if chunk["choices"]) == (
        "Hold first, settle after."
    )
    check_stream(reply.wire.events)
    assert lasting(read(manager, key)) == spent(key, COST)


def test_every_window_has_its_own_figure_to_the_nano_dollar(client, start_driver, aged):
    sdks = [start_driver(client).at(f"{aged.url}/api/v1", text) for text in (MANAGEMENT_KEY, aged.key.text)]
    data = read(sdks[0], aged.key)
    assert data == aged.key.data | {"last_used_at": data["last_used_at"]}
    assert instant(data["last_used_at"]).date() == LAST.date()
    current = sdks[1].read("key").wire.json["data"]
    assert {member: current[member] for member in current if member in data} == {
        member: aged.key.data[member] for member in aged.key.data if member in current
    }


def test_a_maximum_is_taken_however_the_client_writes_it(manager, sdk, provider):
    # The oldest generation types it as a float and sends 100.0, which is an integer to JSON.
    sdk(create(manager).text).read("chat", model="fake/plain", messages=HELLO, max_tokens=100)
    [body] = provider.requests
    assert [body[name] for name in ("max_tokens", "max_completion_tokens") if name in body] == [100]


# Refusals


def test_a_refusal_is_a_typed_error(client, manager, sdk, provider):
    key = create(manager, limit=0.000000001)
    asked = {"model": "fake/plain", "messages": HELLO}
    assert_refused(client, manager, "keys.create", 400, "name", name=" ")
    assert_refused(client, sdk(UNKNOWN_KEY), "keys.create", 401, "User not found.", name="mine")
    assert_refused(client, sdk(key.text), "keys.create", 403, "Only management keys", name="mine")
    for call, given in (("keys.get", {}), ("keys.update", {"name": "back"}), ("keys.delete", {})):
        assert_refused(client, manager, call, 404, "Resource not found", hash=UNKNOWN_HASH, **given)
    assert_refused(client, sdk(key.text), "chat", 400, "not a valid model ID", **asked | {"model": "fake/none"})
    assert_refused(client, sdk(UNKNOWN_KEY), "chat", 401, "User not found.", **asked)
    assert_refused(client, sdk(key.text), "chat", 402, "Prompt tokens limit exceeded", **asked)
    assert_refused(client, manager, "chat", 403, "Management keys cannot be used for inference", **asked)
    assert provider.requests == []


# OpenAI's SDKs, which know chat and models alone


def test_an_openai_sdk_chats_on_either_path(manage, openai_sdk, provider):
    key = manage.create()
    sdk = openai_sdk(key.text)
    check_whole_answer(sdk.read("chat", model="fake/plain", messages=HELLO, max_tokens=100).wire.json)
    check_stream(sdk.read("chat", model="fake/plain", messages=HELLO, max_completion_tokens=100, stream=True).wire.events)
    assert figures(manage, key) == spent(key, 2 * COST)


def test_an_openai_sdk_gets_embeddings_as_it_asks_by_itself_and_in_numbers_on_either_path(manage, openai_sdk, provider):
    key = manage.create()
    sdk = openai_sdk(key.text)
    # By themselves both ask for base64 and decode it.
    reply = sdk.call("embeddings", model="fake/embed", input=["Hold first,", "settle after."])
    assert provider.requests[-1]["encoding_format"] == "base64"
    assert {type(item["embedding"]) for item in reply.wire.json["data"]} == {str}
    assert differences(reply.value, reply.wire.json | {"data": reply.value["data"]}) == []
    check_embeddings(reply.value, 2)
    reply = sdk.read("embeddings", model="fake/embed", input="Hold first.", encoding_format="float", dimensions=3)
    assert [provider.requests[-1][name] for name in ("model", "encoding_format", "dimensions")] == ["embed-1", "float", 3]
    check_embeddings(reply.wire.json, 1)
    assert figures(manage, key) == spent(key, 2 * EMBEDDING_COST)


def test_an_openai_sdk_lists_the_models_and_reads_each_on_either_path(manage, openai_sdk):
    sdk = openai_sdk(manage.create().text)
    listed = sdk.read("models")
    assert listed.wire.json["object"] == "list"
    by_id = {model["id"]: model for model in listed.value}
    assert by_id.keys() == {"fake/dear", "fake/plain"}
    for id, model in by_id.items():
        assert (model["object"], model["owned_by"]) == ("model", "fake")
        assert sdk.read("model", model=id).value == model


def test_an_openai_sdk_is_told_that_there_is_no_such_model_on_either_path(manage, openai_sdk):
    sdk = openai_sdk(manage.create().text)
    for unknown in ("fake/none", "none"):
        assert_refused(sdk.driver.client, sdk, "model", 404, "Resource not found", model=unknown)


def test_an_openai_sdk_raises_its_typed_errors_on_either_path(manage, openai_sdk, provider):
    sdk = openai_sdk(manage.create(limit=0.5).text)
    client = sdk.driver.client
    asked = {"model": "fake/plain", "messages": HELLO}
    dear = asked | {"model": "fake/dear", "max_tokens": 9}
    assert_refused(client, sdk, "chat", 400, "not a valid model ID", **asked | {"model": "fake/none"})
    assert_refused(client, openai_sdk(UNKNOWN_KEY), "chat", 401, "User not found.", **asked)
    assert_refused(client, sdk, "chat", 402, "You requested up to 9 tokens, but can only afford 5. ", **dear)
    assert_refused(client, openai_sdk(MANAGEMENT_KEY), "chat", 403, "Management keys cannot", **asked)
    assert provider.requests == []
