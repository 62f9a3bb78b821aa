"""What the newest SDKs are asked besides keys and chats: what was spent on what, embeddings, and what a call was.

As in test_clients.py, each answer is held to the contract, to figures worked out by hand, and to what the SDK made of it.
"""

import uuid
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from calls import COST, EMBEDDING_COST, HELLO, SHORT, SHORT_COST, dear, figures, spent
from clients import OPENROUTER, assert_refused
from conftest import MODELS
from expected import check_embeddings, instant
from gateway import MANAGEMENT_KEY, NOON

ASKED = [client for client in OPENROUTER if client.is_asked_all]
DAY = "2026-11-18"
UNKNOWN_HASH = "0" * 64
CALLER = {"user-agent": "conformance", "http-referer": "https://app.example"}


@pytest.fixture(params=ASKED, ids=str)
def driver(request, start_driver):
    return start_driver(request.param)


@pytest.fixture(scope="module")
def past(start_gateway, session_provider):
    """A gateway with a day behind it: one key asked twice and dearly once, another once; and once on the day after."""
    gateway = start_gateway({"fake": session_provider.base_url}, MODELS)
    session_provider.reset()
    http, wire = gateway.http(MANAGEMENT_KEY)
    keys = []
    for name in ("first", "second"):
        http.post("/api/v1/keys", json={"name": name})
        keys.append(wire.last.json)

    def ask(key, model, **settings):
        http.post(
            "/api/v1/chat/completions",
            headers=CALLER | {"authorization": f"Bearer {key['key']}"},
            json={"model": model, "messages": HELLO} | settings,
        )
        return wire.last.json["id"]

    first, second = keys
    for key in (first, first, second):
        ask(key, "fake/plain")
    session_provider.script = dear(9)
    ask(first, "fake/dear", max_tokens=9)
    gateway.clock.set(NOON + timedelta(days=1))
    session_provider.script = SHORT
    generation = ask(first, "fake/plain")
    return SimpleNamespace(url=f"{gateway.url}/api/v1", first=first, second=second, generation=generation)


@pytest.fixture
def manager(driver, past):
    return driver.at(past.url, MANAGEMENT_KEY)


# What was spent


def test_credits_are_what_every_key_was_charged_in_all(driver, manager, past):
    data = manager.read("credits").wire.json["data"]
    assert data == {"total_credits": 0, "total_usage": 3 * COST + Decimal("0.9") + SHORT_COST}
    assert_refused(driver.client, driver.at(past.url, past.first["key"]), "credits", 403, "Only management keys")


def row(model, requests, usage, prompt=21, completion=7, cached=8):
    """A row of the activity, each figure of which is that of one request, times `requests`."""
    return {
        "date": DAY,
        "model": model,
        "model_permaslug": model,
        "provider_name": "Fake",
        "usage": usage * requests,
        "byok_usage_inference": 0,
        "requests": requests,
        "prompt_tokens": prompt * requests,
        "completion_tokens": completion * requests,
        "reasoning_tokens": 0,
        "cached_tokens": cached * requests,
    }


def rows(manager, **filters):
    """The rows of the activity, and the endpoint of each, of which only that it is a UUID is known."""
    listed = manager.read("activity", **filters).wire.json["data"]
    endpoints = [row.pop("endpoint_id") for row in listed]
    assert [str(uuid.UUID(endpoint)) for endpoint in endpoints] == endpoints
    assert len(set(endpoints)) == len(endpoints)
    return listed


def test_activity_is_what_was_used_on_the_days_that_are_over(manager, past):
    dearly = row("fake/dear", 1, Decimal("0.9"), completion=9)
    assert rows(manager) == [dearly, row("fake/plain", 3, COST)]
    assert rows(manager, date=DAY) == [dearly, row("fake/plain", 3, COST)]
    assert rows(manager, date="2026-11-17") == []
    assert rows(manager, api_key_hash=past.first["data"]["hash"]) == [dearly, row("fake/plain", 2, COST)]
    assert rows(manager, api_key_hash=past.second["data"]["hash"]) == [row("fake/plain", 1, COST)]


def test_activity_can_be_split_by_workspace(manager, past):
    workspace = {"workspace_id": past.first["data"]["workspace_id"]}
    split = [row("fake/dear", 1, Decimal("0.9"), completion=9) | workspace, row("fake/plain", 3, COST) | workspace]
    assert rows(manager, group_by="workspace") == split
    assert rows(manager, group_by="workspace", **workspace) == split


def test_activity_that_can_not_be_is_a_typed_error(driver, manager, past):
    for date in ("2026-11-19", "2026-10-01", "18.11.2026"):
        assert_refused(driver.client, manager, "activity", 400, "date", date=date)
    assert_refused(driver.client, manager, "activity", 404, "names no key", api_key_hash=UNKNOWN_HASH)
    assert_refused(driver.client, driver.at(past.url, past.first["key"]), "activity", 403, "Only management keys")


# Embeddings


@pytest.fixture
def embedder(driver, gateway, manage):
    """A new key, the SDK with it, and the SDK with the management key, at the gateway that most tests share."""
    key = manage.create()
    return key, *(driver.at(f"{gateway.url}/api/v1", text) for text in (key.text, MANAGEMENT_KEY))


def test_embeddings_are_given_in_either_form_and_charged(embedder, manage, provider):
    key, own, _ = embedder
    reply = own.read("embeddings", model="fake/embed", input=["Hold first,", "settle after."])
    check_embeddings(reply.wire.json, 2)
    text = own.read("embeddings", model="fake/embed", input="Hold first.", encoding_format="base64")
    assert [item["embedding"] for item in text.value["data"]] == ["AAAAPwAAgL4AAIA/"]
    assert figures(manage, key) == spent(key, 2 * EMBEDDING_COST)
    generation = own.read("generation", id=reply.value["id"]).wire.json["data"]
    assert [generation[name] for name in ("api_type", "usage", "tokens_prompt")] == ["embeddings", EMBEDDING_COST, 21]


def test_models_for_embeddings_are_listed_apart(embedder):
    _, own, _ = embedder
    assert [model["id"] for model in own.read("embeddings.models").value] == ["fake/embed"]
    assert [model["id"] for model in own.read("models").value] == ["fake/plain", "fake/dear"]
    everything = own.read("models", output_modalities="all").value
    assert [model["id"] for model in everything] == ["fake/plain", "fake/dear", "fake/embed"]


def test_embeddings_that_can_not_be_are_a_typed_error(driver, embedder, provider):
    _, own, manager = embedder
    for model, status, message in (("fake/plain", 400, "fake/plain"), ("fake/none", 400, "not a valid model ID")):
        assert_refused(driver.client, own, "embeddings", status, message, model=model, input="Hold first.")
    refused = {"model": "fake/embed", "input": "Hold first."}
    assert_refused(driver.client, manager, "embeddings", 403, "Management keys cannot be used for inference", **refused)
    assert provider.requests == []


# What a call was


# The last call of `past`: a member that has no value is null.
GENERATION = {
    "model": "fake/plain",
    "provider_name": "Fake",
    "upstream_id": "chatcmpl-5",
    "api_type": "completions",
    "user_agent": "conformance",
    "origin": "https://app.example",
    "http_referer": "https://app.example",
    "data_region": "global",
    "streamed": False,
    "cancelled": False,
    "finish_reason": "stop",
    "native_finish_reason": "stop",
    "is_byok": False,
    "total_cost": SHORT_COST,
    "usage": SHORT_COST,
    "tokens_prompt": 3,
    "tokens_completion": 1,
    "native_tokens_prompt": 3,
    "native_tokens_completion": 1,
    "native_tokens_cached": 0,
    "native_tokens_reasoning": 0,
} | dict.fromkeys(
    (
        "app_id",
        "cache_discount",
        "external_user",
        "moderation_latency",
        "native_tokens_completion_images",
        "num_fetches",
        "num_input_audio_prompt",
        "num_media_completion",
        "num_media_prompt",
        "num_search_results",
        "preset_id",
        "request_id",
        "response_cache_source_id",
        "router",
        "service_tier",
        "session_id",
        "upstream_inference_cost",
        "web_search_engine",
    )
)


def test_a_generation_is_shown_whole_to_its_key_and_to_a_manager(driver, manager, past):
    own = driver.at(past.url, past.first["key"])
    data = own.read("generation", id=past.generation).wire.json["data"]
    assert manager.read("generation", id=past.generation).wire.json["data"] == data

    assert timedelta() <= instant(data["created_at"]) - NOON - timedelta(days=1) < timedelta(minutes=1)
    [attempt] = data["provider_responses"]
    [plain] = manager.read("activity", api_key_hash=past.second["data"]["hash"]).wire.json["data"]
    assert attempt["endpoint_id"] == plain["endpoint_id"]
    for time in (attempt["latency"], data["generation_time"]):
        assert 0 <= time <= data["latency"] < 60_000
    taken = {member: data[member] for member in ("created_at", "generation_time", "latency")}
    answered = {"id": "chatcmpl-5", "endpoint_id": plain["endpoint_id"], "latency": attempt["latency"]}
    answered |= {"status": 200, "provider_name": "Fake", "model_permaslug": "fake/plain", "is_byok": False}
    expected = GENERATION | taken | {"id": past.generation, "provider_responses": [answered]}
    assert data == expected | {"workspace_id": past.first["data"]["workspace_id"]}
    other = driver.at(past.url, past.second["key"])
    assert_refused(driver.client, other, "generation", 404, "Resource not found", id=past.generation)
