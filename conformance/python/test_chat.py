"""Paid calls through both SDKs, each figure against one worked out by hand.

The provider is the fake one: what it reports as usage is fixed, so what a call costs is known before it is made.
"""

import re
from decimal import Decimal

import pytest
from openrouter import errors

from calls import COST, HELLO, SHORT, SHORT_COST, ask, dear, figures, spent
from expected import check_stream, check_whole_answer
from fake_provider import CREDENTIAL, Script
from gateway import MANAGEMENT_KEY

# What one call is and costs


def test_the_official_sdk_is_answered_and_charged(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    result = ask(sdk, max_tokens=100)

    assert result.choices[0].message.content == "Hold first, settle after."
    assert wire.last.headers["content-type"].split(";")[0] == "application/json"
    check_whole_answer(wire.last.json)
    assert figures(manage, key) == spent(key, COST)


def test_the_official_sdk_streams_and_is_charged_before_the_end(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    with ask(sdk, max_tokens=100, stream=True) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert text == "Hold first, settle after."
    check_stream(wire.last.events)
    assert figures(manage, key) == spent(key, COST)


def test_the_openai_sdk_is_answered_and_charged(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openai(key.text)
    result = sdk.chat.completions.create(model="fake/plain", messages=HELLO, max_completion_tokens=100)

    assert result.choices[0].message.content == "Hold first, settle after."
    assert result.usage.prompt_tokens_details.cached_tokens == 8
    check_whole_answer(wire.last.json)
    assert figures(manage, key) == spent(key, COST)


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": False}}], ids=["silent", "declined"])
def test_the_openai_sdk_streams_and_usage_always_comes(gateway, manage, provider, options):
    key = manage.create()
    sdk, wire = gateway.openai(key.text)
    with sdk.chat.completions.create(model="fake/plain", messages=HELLO, stream=True, **options) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert text == "Hold first, settle after."
    check_stream(wire.last.events)
    assert figures(manage, key) == spent(key, COST)


def test_each_call_is_rounded_up_by_itself(gateway, manage, provider):
    # 1612.2 and 262.6 nano-dollars are 1613 and 263 apart, but would be 1875 together.
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    ask(sdk)
    provider.script = SHORT
    ask(sdk)
    assert wire.last.json["usage"]["cost"] == SHORT_COST
    assert figures(manage, key) == spent(key, COST + SHORT_COST)
    assert COST + SHORT_COST == Decimal("0.000001876")


def test_money_is_printed_as_its_shortest_exact_decimal(gateway, manage, provider):
    key = manage.create(limit=0.5)
    sdk, _ = gateway.openrouter(key.text)
    provider.script = SHORT
    ask(sdk, max_tokens=100)
    manage.data(key)
    printed = dict(re.findall(r'"(usage|limit|limit_remaining)": ?([^,}]+)', manage.wire.last.text))
    assert printed == {"usage": "0.000000263", "limit": "0.5", "limit_remaining": "0.499999737"}


def test_a_generation_says_what_the_call_was(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    with ask(sdk, stream=True) as stream:
        identity = next(stream).id
        for _ in stream:
            pass

    sdk.generations.get_generation(id=identity)
    data = wire.last.json["data"]
    expected = {
        "id": identity,
        "model": "fake/plain",
        "provider_name": "Fake",
        "upstream_id": "chatcmpl-1",
        "streamed": True,
        "cancelled": False,
        "finish_reason": "stop",
        "is_byok": False,
        "total_cost": COST,
        "usage": COST,
        "tokens_prompt": 21,
        "tokens_completion": 7,
        "native_tokens_prompt": 21,
        "native_tokens_completion": 7,
        "native_tokens_cached": 8,
        "workspace_id": key.data["workspace_id"],
    }
    assert {member: data[member] for member in expected} == expected

    manage.sdk.generations.get_generation(id=identity)
    assert manage.wire.last.json["data"] == data


def test_a_generation_is_no_other_keys_business(gateway, manage, provider):
    sdk, _ = gateway.openrouter(manage.create().text)
    identity = ask(sdk).id
    other, _ = gateway.openrouter(manage.create().text)
    with pytest.raises(errors.NotFoundResponseError):
        other.generations.get_generation(id=identity)


# What the provider is sent


def test_the_provider_gets_its_own_credential_and_model_and_one_maximum(gateway, manage, provider):
    key = manage.create()
    sdk, _ = gateway.openrouter(key.text)
    ask(sdk, max_tokens=100, max_completion_tokens=90, temperature=0, seed=7, user="someone", session_id="talk")

    [body], [headers] = provider.requests, provider.headers
    assert (body["model"], body["messages"], body["temperature"], body["seed"]) == ("plain-1", HELLO, 0, 7)
    assert [body[name] for name in ("max_tokens", "max_completion_tokens") if name in body] == [90]
    assert not {"user", "session_id", "provider"} & body.keys()
    assert headers["authorization"] == f"Bearer {CREDENTIAL}"
    assert key.text not in str(headers)


def test_without_a_maximum_the_completion_is_capped_at_what_is_affordable(gateway, manage, provider):
    caps = []
    for limit in (None, 50):
        sdk, _ = gateway.openrouter(manage.create(limit=limit).text)
        ask(sdk, model="fake/dear")
        body = provider.requests[-1]
        caps += [body[name] for name in ("max_tokens", "max_completion_tokens") if name in body]
    assert caps == [1024, 500]


# Calls that are refused


def test_a_failed_call_costs_nothing_and_holds_nothing(gateway, manage, provider):
    key = manage.create(limit=1)
    sdk, _ = gateway.openrouter(key.text)
    provider.script = Script(status=500)
    with pytest.raises(errors.OpenRouterError) as failed:
        ask(sdk, model="fake/dear", max_tokens=10)
    assert failed.value.status_code in (502, 503)
    assert figures(manage, key) == key.data

    # The whole limit is there for the next one.
    provider.script = dear(10)
    ask(sdk, model="fake/dear", max_tokens=10)
    assert manage.data(key)["limit_remaining"] == 0


def test_a_management_key_infers_nothing(gateway, provider):
    sdk, _ = gateway.openrouter(MANAGEMENT_KEY)
    with pytest.raises(errors.ForbiddenResponseError, match="Management keys cannot be used for inference"):
        ask(sdk)
    assert provider.requests == []


def test_an_unknown_model_is_400_and_named(gateway, manage, provider):
    sdk, _ = gateway.openrouter(manage.create().text)
    with pytest.raises(errors.BadRequestResponseError, match="fake/none is not a valid model ID"):
        ask(sdk, model="fake/none")
    assert provider.requests == []
