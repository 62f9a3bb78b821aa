"""Limits that hold: spent, unaffordable, moved, freed at midnight, and raced for by fifty calls at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import openai
import pytest
from openrouter import errors

from calls import COST, HELLO, SHORT, SHORT_COST, WINDOWS, ask, dear, figures, spent
from fake_provider import Script
from gateway import NOON

DAY = timedelta(days=1)

# What a limit refuses


@pytest.mark.parametrize(
    ("window", "words", "resets_at"),
    [
        ("daily", "daily limit", datetime(2026, 11, 19, tzinfo=timezone.utc)),
        ("weekly", "weekly limit", datetime(2026, 11, 23, tzinfo=timezone.utc)),
        ("monthly", "monthly limit", datetime(2026, 12, 1, tzinfo=timezone.utc)),
        (None, "total limit", None),
    ],
)
def test_a_spent_limit_is_a_typed_403(gateway, manage, provider, window, words, resets_at):
    key = manage.create(limit=1, limit_reset=window)
    sdk, wire = gateway.openrouter(key.text)
    provider.script = dear(10)
    ask(sdk, model="fake/dear", max_tokens=10)
    with pytest.raises(errors.ForbiddenResponseError, match=re.escape(f"Key limit exceeded ({words})")):
        ask(sdk, model="fake/dear", max_tokens=1)

    metadata = wire.last.json["error"]["metadata"]
    expected = {"limit_source": "openrouter_key_limit", "scope": "key_limit", "limit_usd": 1, "spend_usd": 1}
    assert {member: metadata[member] for member in expected} == expected
    assert (metadata["resets_at"] and datetime.fromisoformat(metadata["resets_at"])) == resets_at
    assert "retry-after" not in wire.last.headers
    assert len(provider.requests) == 1

    spender, _ = gateway.openai(key.text)
    with pytest.raises(openai.PermissionDeniedError):
        spender.chat.completions.create(model="fake/dear", messages=HELLO, max_tokens=1)


def test_a_limit_of_zero_lets_nothing_paid_through(gateway, manage, provider):
    sdk, _ = gateway.openrouter(manage.create(limit=0).text)
    with pytest.raises(errors.ForbiddenResponseError, match="Key limit exceeded"):
        ask(sdk)
    assert provider.requests == []


def test_an_unaffordable_maximum_is_402_with_the_one_that_is(gateway, manage, provider):
    key = manage.create(limit=0.5, limit_reset="daily")
    sdk, wire = gateway.openrouter(key.text)
    with pytest.raises(errors.PaymentRequiredResponseError) as refused:
        ask(sdk, model="fake/dear", max_tokens=9)
    assert refused.value.message.startswith(
        "This request requires more credits, or fewer max_tokens. You requested up to 9 tokens, but can only afford 5. "
    )
    assert "daily limit" in refused.value.message
    assert "retry-after" not in wire.last.headers
    assert provider.requests == []
    assert figures(manage, key) == key.data

    # What it says is affordable is.
    provider.script = dear(5)
    ask(sdk, model="fake/dear", max_tokens=5)
    assert manage.data(key)["limit_remaining"] == 0


def test_a_prompt_that_is_too_dear_by_itself_is_402(gateway, manage, provider):
    sdk, _ = gateway.openrouter(manage.create(limit=0.000000001).text)
    with pytest.raises(errors.PaymentRequiredResponseError, match=r"Prompt tokens limit exceeded: \d+ > \d+"):
        ask(sdk, max_tokens=1)
    assert provider.requests == []


# Windows


def test_spend_leaves_each_window_when_that_window_ends(own_gateway, own_manage, provider):
    key = own_manage.create()
    sdk, _ = own_gateway.openrouter(key.text)
    ask(sdk)

    own_gateway.clock.set(NOON + DAY)  # Thursday
    provider.script = SHORT
    ask(sdk)
    total = COST + SHORT_COST

    def windows(instant):
        own_gateway.clock.set(instant)
        data = own_manage.data(key)
        return [data[window] for window in WINDOWS]

    assert windows(NOON + DAY) == [total, SHORT_COST, total, total]
    assert windows(datetime(2026, 11, 22, 23, 59, tzinfo=timezone.utc)) == [total, 0, total, total]
    assert windows(datetime(2026, 11, 23, tzinfo=timezone.utc)) == [total, 0, 0, total]
    assert windows(datetime(2026, 11, 30, 23, 59, tzinfo=timezone.utc)) == [total, 0, 0, total]
    assert windows(datetime(2026, 12, 1, tzinfo=timezone.utc)) == [total, 0, 0, 0]


def test_a_moved_limit_binds_at_once_and_midnight_frees_it(own_gateway, own_manage, provider):
    key = own_manage.create(limit=1, limit_reset="daily")
    sdk, _ = own_gateway.openrouter(key.text)
    provider.script = dear(9)
    ask(sdk, model="fake/dear", max_tokens=9)

    def remaining_with(limit):
        own_manage.keys.update(hash=key.hash, limit=limit)
        return own_manage.wire.last.json["data"]["limit_remaining"]

    assert own_manage.data(key)["limit_remaining"] == Decimal("0.1")
    assert remaining_with(2) == Decimal("1.1")
    assert remaining_with(0.5) == Decimal("-0.4")
    with pytest.raises(errors.ForbiddenResponseError, match=re.escape("Key limit exceeded (daily limit)")):
        ask(sdk, model="fake/dear", max_tokens=1)

    own_gateway.clock.set(datetime(2026, 11, 18, 23, 59, tzinfo=timezone.utc))
    assert own_manage.data(key)["limit_remaining"] == Decimal("-0.4")
    own_gateway.clock.set(datetime(2026, 11, 19, tzinfo=timezone.utc))
    assert own_manage.data(key)["limit_remaining"] == Decimal("0.5")
    provider.script = dear(5)
    ask(sdk, model="fake/dear", max_tokens=5)
    assert own_manage.data(key)["limit_remaining"] == 0


def test_a_limit_measures_the_window_it_is_given(gateway, manage, provider):
    # Nothing is reset by a change of window: every window knows what was spent in it already.
    key = manage.create(limit=2, limit_reset="daily")
    sdk, _ = gateway.openrouter(key.text)
    provider.script = dear(9)
    ask(sdk, model="fake/dear", max_tokens=9)
    for window in ("weekly", "monthly", None):
        manage.keys.update(hash=key.hash, limit_reset=window)
        assert manage.wire.last.json["data"]["limit_remaining"] == Decimal("1.1")


# Many at once


def test_fifty_parallel_calls_never_hold_or_spend_more_than_the_limit(gateway, manage, provider):
    # The limit is ten worst cases of ten tokens; each call then uses five. So at most ten are ever in flight, and
    # nineteen can be served: after that, less than one worst case is left.
    key = manage.create(limit=10)
    sdk, wire = gateway.openrouter(key.text)
    provider.script = Script(completion_tokens=5, delay=0.05)

    def call(_):
        try:
            return ask(sdk, model="fake/dear", max_tokens=10)
        except errors.OpenRouterError as refused:
            return refused

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(call, range(50)))

    served = [answer for answer in wire.answers if answer.status == 200]
    refused = [answer for answer in wire.answers if answer.status != 200]
    assert len(served) + len(refused) == 50
    assert {answer.status for answer in refused} == {402}
    for answer in refused:
        # Refused for what others held at that moment, which passes; or for what is left, which does not.
        reason = answer.json["error"].get("metadata", {}).get("reason")
        assert (reason == "in_flight_budget_exhausted") == ("retry-after" in answer.headers)
    assert provider.in_flight_max <= 10
    assert 10 <= len(served) <= 19
    assert len(provider.requests) == len(served)
    assert figures(manage, key) == spent(key, len(served) * Decimal("0.5")) | {
        "limit_remaining": 10 - len(served) * Decimal("0.5")
    }
