"""Embeddings through the official SDKs, each figure against one worked out by hand.

`fake/embed` costs 37.5 nano-dollars a token, and the provider reports 21 of them: 787.5, rounded up.
"""

import re
from decimal import Decimal

import pytest
from openai import InternalServerError
from openrouter import errors

from calls import figures, spent
from fake_provider import EMBEDDING, Script

COST = Decimal("0.000000788")
MODEL = "fake/embed"


def check_answer(body, count):
    """The answer to `count` inputs, its cost exact."""
    assert re.fullmatch(r"gen-\d{10}-[0-9A-Za-z]{20}", body["id"])
    assert (body["object"], body["model"], body["provider"]) == ("list", MODEL, "Fake")
    assert [it["index"] for it in body["data"]] == list(range(count))
    usage = body["usage"]
    assert (usage["prompt_tokens"], usage["total_tokens"]) == (21, 21)
    assert (usage["cost"], usage["is_byok"]) == (COST, False)


def test_the_official_sdk_is_answered_and_charged(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    result = sdk.embeddings.generate(model=MODEL, input=["one", "two"])

    assert [it.embedding for it in result.data] == [EMBEDDING, EMBEDDING]
    assert result.usage.prompt_tokens == 21
    check_answer(wire.last.json, 2)
    assert wire.last.headers["x-generation-id"] == wire.last.json["id"]
    assert figures(manage, key) == spent(key, COST)


def test_the_openai_sdk_asks_for_base64_and_gets_numbers(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openai(key.text)
    result = sdk.embeddings.create(model=MODEL, input="one", dimensions=3)

    assert provider.requests[-1] == {"model": "embed-1", "input": "one", "dimensions": 3, "encoding_format": "base64"}
    assert isinstance(wire.last.json["data"][0]["embedding"], str)
    assert list(result.data[0].embedding) == EMBEDDING
    check_answer(wire.last.json, 1)
    assert figures(manage, key) == spent(key, COST)


def test_tokens_are_taken_as_they_are(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openai(key.text)
    sdk.embeddings.create(model=MODEL, input=[[1, 2], [3]], encoding_format="float")
    assert provider.requests[-1]["input"] == [[1, 2], [3]]
    check_answer(wire.last.json, 2)


def test_a_limit_refuses_what_does_not_fit(gateway, manage, provider):
    # An input of 3 bytes is held as 14 bytes of JSON, 16 tokens around it and 256 unseen: 286 tokens, 10,725 nano-dollars.
    key = manage.create(limit=0.000010724)
    sdk, _ = gateway.openrouter(key.text)
    with pytest.raises(errors.PaymentRequiredResponseError):
        sdk.embeddings.generate(model=MODEL, input="one")
    assert provider.requests == []
    manage.keys.update(hash=key.hash, limit=0.000010725)
    sdk.embeddings.generate(model=MODEL, input="one")
    assert manage.data(key)["usage"] == COST


def test_the_generation_says_what_it_was(gateway, manage, provider):
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    sdk.embeddings.generate(model=MODEL, input="one")
    made = sdk.generations.get_generation(id=wire.last.json["id"]).data
    assert (made.api_type, made.model, made.tokens_prompt, made.tokens_completion) == ("embeddings", MODEL, 21, 0)


def test_models_for_embeddings_are_listed_apart(gateway, manage):
    sdk, _ = gateway.openrouter(manage.create().text)
    assert [model.id for model in sdk.embeddings.list_models().result.data] == [MODEL]
    assert MODEL not in [model.id for model in sdk.models.list().result.data]


def test_a_model_is_asked_for_at_its_own_path(gateway, manage, provider):
    sdk, wire = gateway.openrouter(manage.create().text)
    with pytest.raises(errors.BadRequestResponseError):
        sdk.embeddings.generate(model="fake/plain", input="one")
    assert wire.last.json["error"]["availability"]["code"] == "wrong_endpoint"
    with pytest.raises(errors.BadRequestResponseError):
        sdk.chat.send(model=MODEL, messages=[{"role": "user", "content": "one"}])
    assert provider.requests == []


def test_a_provider_that_fails_is_a_bad_gateway(gateway, manage, provider):
    key = manage.create()
    provider.script = Script(status=500)
    sdk, _ = gateway.openai(key.text)
    with pytest.raises(InternalServerError):
        sdk.with_options(max_retries=0).embeddings.create(model=MODEL, input="one")
    assert figures(manage, key) == key.data
