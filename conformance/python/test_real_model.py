"""End to end with a real model: the gateway's figures are the server's own, and the money is what follows from them."""

import re
from decimal import ROUND_CEILING, Decimal

import pytest
from openrouter import errors

from gateway import model
from model_server import ModelServer, tokens

pytestmark = pytest.mark.real_model

RAINBOW = [{"role": "user", "content": "Name three colours of the rainbow."}]
STORY = [{"role": "user", "content": "Write a long story about a lighthouse."}]
# Eight tokens of a story that goes on: the model always has more to say, so it always stops at the cap.
SETTINGS = {"max_tokens": 8, "temperature": 0, "seed": 1}

NANO = Decimal("0.000000001")
PRICES = {
    "local/cached": {"prompt": "0.0000001234", "completion": "0.0000004321", "input_cache_read": "0.0000000617"},
    "local/uncached": {"prompt": "0.0000001234", "completion": "0.0000004321"},
    "local/metered": {"prompt": "0", "completion": "0.001"},
}


def cost(name, used):
    """What `used` (prompt, cached, completion tokens) costs on the model `name`, rounded up once to the nano-dollar."""
    prompt, cached, completion = used
    prices = {part: Decimal(price) for part, price in PRICES[name].items()}
    exact = (prompt - cached) * prices["prompt"]
    exact += cached * prices.get("input_cache_read", prices["prompt"])
    exact += completion * prices["completion"]
    return exact.quantize(NANO, rounding=ROUND_CEILING)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = ModelServer(tmp_path_factory.mktemp("llama"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def gateway(start_gateway, server):
    models = [model(name, "local", "smollm2", 2048, 1024, **prices) for name, prices in PRICES.items()]
    return start_gateway({"local": server.base_url}, models)


def plain(sdk, wire, name, messages, **settings):
    """A call answered whole: its text and its usage."""
    sdk.chat.send(model=name, messages=messages, **SETTINGS | settings)
    body = wire.last.json
    return body["choices"][0]["message"]["content"], body["usage"]


def streamed(sdk, wire, name, messages, **settings):
    """The same call, streamed."""
    with sdk.chat.send(model=name, messages=messages, stream=True, **SETTINGS | settings) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    [usage] = [event["usage"] for event in wire.last.events[:-1] if event.get("usage")]
    return text, usage


@pytest.mark.parametrize("way", [plain, streamed])
@pytest.mark.parametrize("name", ["local/cached", "local/uncached"])
def test_usage_is_the_servers_own_and_cost_follows_from_it(gateway, manage, server, way, name):
    # The server caches the prompt of the call before. Asked twice for the same after the same, it counts the same:
    # once by itself, once through the gateway.
    server.usage(STORY, **SETTINGS)
    own = server.usage(RAINBOW, **SETTINGS)
    server.usage(STORY, **SETTINGS)
    sdk, wire = gateway.openrouter(manage.create().text)
    text, usage = way(sdk, wire, name, RAINBOW)

    assert tokens(usage) == own
    prompt, cached, completion = own
    assert prompt > len(RAINBOW[0]["content"].split()) and 0 < cached < prompt and completion == 8
    assert usage["cost"] == cost(name, own)
    assert text.strip()


def test_a_cache_price_is_for_the_cached_tokens_alone(gateway, manage, server):
    sdk, wire = gateway.openrouter(manage.create().text)
    server.usage(STORY, **SETTINGS)
    plain(sdk, wire, "local/cached", RAINBOW)
    _, with_price = plain(sdk, wire, "local/cached", RAINBOW)
    _, without = plain(sdk, wire, "local/uncached", RAINBOW)

    assert tokens(with_price) == tokens(without)
    _, cached, _ = tokens(without)
    # 123.4 - 61.7 = 61.7 nano-dollars less for each; the two roundings leave less than one apart.
    saved = without["cost"] - with_price["cost"]
    assert abs(saved - cached * Decimal("0.0000000617")) < NANO


def test_key_figures_are_the_sum_of_what_the_server_counted(gateway, manage):
    key = manage.create(limit=1, limit_reset="monthly")
    sdk, wire = gateway.openrouter(key.text)
    total = Decimal(0)
    for name, way, messages in [
        ("local/cached", plain, RAINBOW),
        ("local/cached", streamed, RAINBOW),
        ("local/uncached", streamed, STORY),
        ("local/uncached", plain, STORY),
    ]:
        _, usage = way(sdk, wire, name, messages)
        assert usage["cost"] == cost(name, tokens(usage))
        total += usage["cost"]

    openai, wire = gateway.openai(key.text)
    openai.chat.completions.create(model="local/cached", messages=STORY, **SETTINGS)
    answer = wire.last.json
    total += cost("local/cached", tokens(answer["usage"]))

    after = manage.data(key)
    windows = dict.fromkeys(("usage", "usage_daily", "usage_weekly", "usage_monthly"), total)
    moment = {"last_used_at": after["last_used_at"]}
    assert after == key.data | windows | moment | {"limit_remaining": 1 - total}

    manage.sdk.generations.get_generation(id=answer["id"])
    data = manage.wire.last.json["data"]
    counted = (data["native_tokens_prompt"], data["native_tokens_cached"], data["native_tokens_completion"])
    assert (counted, data["usage"]) == (tokens(answer["usage"]), answer["usage"]["cost"])


def test_a_limit_is_used_up_to_the_last_token_and_then_holds(gateway, manage):
    # A tenth of a cent for each completion token, so the limit is 24 tokens: each call asks for all that is left.
    key = manage.create(limit=0.024, limit_reset="daily")
    sdk, wire = gateway.openrouter(key.text)
    left = 24
    while left > 0:
        _, usage = plain(sdk, wire, "local/metered", STORY, max_tokens=left)
        assert 0 < usage["completion_tokens"] <= left
        left -= usage["completion_tokens"]
    data = manage.data(key)
    assert (data["usage"], data["usage_daily"], data["limit_remaining"]) == (Decimal("0.024"), Decimal("0.024"), 0)

    for stream in (False, True):
        with pytest.raises(errors.ForbiddenResponseError, match=re.escape("Key limit exceeded (daily limit)")):
            sdk.chat.send(model="local/metered", messages=STORY, max_tokens=1, stream=stream)
    assert manage.data(key) == data


def test_a_call_without_a_maximum_ends_where_the_limit_does(gateway, manage):
    # The model would tell a story of 1024 tokens; 40 are affordable.
    key = manage.create(limit=0.04)
    sdk, wire = gateway.openrouter(key.text)
    with sdk.chat.send(model="local/metered", messages=STORY, temperature=0, seed=1, stream=True) as stream:
        reasons = [chunk.choices[0].finish_reason for chunk in stream if chunk.choices]
    assert reasons[-1] == "length"
    data = manage.data(key)
    assert (data["usage"], data["limit_remaining"]) == (Decimal("0.04"), 0)
