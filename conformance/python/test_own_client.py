"""What only this project's own SDK is asked: the extensions of the API, and what its one error knows of a limit."""

import pytest

from calls import HELLO, dear
from clients import OPENROUTER, differences
from expected import EXTENSIONS
from gateway import MANAGEMENT_KEY

LIMITS = {
    "allowed_models": ["fake/plain"],
    "requests_per_minute": 60,
    "tokens_per_minute": 100_000,
    "concurrent_requests": 5,
}
# The one field that may lag behind the answers that make it.
LAGS = {"last_used_at"}


@pytest.fixture(params=[client for client in OPENROUTER if client.is_ours], ids=str)
def at(request, start_driver, gateway):
    """Makes the SDK with a key."""
    return lambda key: start_driver(request.param).at(f"{gateway.url}/api/v1", key)


def test_a_key_with_every_setting_is_read_whole(at, provider):
    manager = at(MANAGEMENT_KEY)
    settings = {"limit": 2, "limit_reset": "daily", "expires_at": "2027-01-01T00:00:00Z", "creator_user_id": "operator"}
    given = settings | LIMITS | {"external": {"user": "customer-7"}}
    made = manager.read("keys.create", name="whole", **given).wire.json
    at(made["key"]).read("chat", model="fake/plain", messages=HELLO, max_tokens=100)

    named = {"hash": made["data"]["hash"]}
    manager.read("keys.update", name="whole again", **named)
    reply = manager.read("keys.get", **named)
    data = reply.wire.json["data"]
    assert {name for name, value in data.items() if value is None} <= LAGS
    assert data.keys() - reply.value["data"].keys() <= LAGS
    assert {name: data[name] for name in EXTENSIONS} == LIMITS
    assert data["external_user"] == "customer-7"
    current = at(made["key"]).read("key").value["data"]
    assert {name: current[name] for name in EXTENSIONS} == LIMITS


def test_the_error_of_a_spent_limit_has_its_figures(at, provider):
    key = at(MANAGEMENT_KEY).read("keys.create", name="spent", limit=1, limit_reset="daily").wire.json["key"]
    provider.script = dear(10)
    asked = {"model": "fake/dear", "messages": HELLO}
    at(key).read("chat", **asked, max_tokens=10)
    for how in ({}, {"stream": True}):
        refused = at(key).call("chat", **asked, **how, max_tokens=1)
        metadata = refused.wire.json["error"]["metadata"]
        told = refused.error["limit"]
        assert (refused.error["status"], told["limit_usd"], told["spend_usd"]) == (403, 1, 1)
        assert told["resets_at"] is not None
        assert differences(told, metadata) == []
