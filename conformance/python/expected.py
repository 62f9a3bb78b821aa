"""Whole answers as they must be: about a key, from what was asked for and the key's text; to the call in calls.py.

Money is exact, so an answer that is a billionth of a dollar off is another answer.
"""

import hashlib
import re
from datetime import datetime

from calls import COST, EMBEDDING_COST
from fake_provider import EMBEDDING


# What a key has besides what the API declares; no official SDK knows of it.
EXTENSIONS = {
    "allowed_models": None,
    "requests_per_minute": None,
    "tokens_per_minute": None,
    "concurrent_requests": None,
}


def masked(text):
    """The label of the key `text`: enough to tell keys apart, too little to use one."""
    return f"{text[:12]}...{text[-4:]}"


def instant(text):
    """The moment `text` names, which must be UTC with seconds."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", text), text
    return datetime.fromisoformat(text)


def as_new(key, **settings):
    """What `GetKeyData` is for a key made with `settings` and never used; what the gateway chooses is `key`'s own."""
    return {
        "hash": hashlib.sha256(key.text.encode()).hexdigest(),
        "name": "conformance",
        "label": masked(key.text),
        "disabled": False,
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        "usage": 0,
        "usage_daily": 0,
        "usage_weekly": 0,
        "usage_monthly": 0,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "created_at": key.data["created_at"],
        "updated_at": None,
        "expires_at": None,
        "creator_user_id": None,
        "workspace_id": key.data["workspace_id"],
        "external_user": None,
        "last_used_at": None,
    } | EXTENSIONS | settings


def unlimited(text, **settings):
    """What `GET /key` is for a key that nothing limits and that was never used."""
    return {
        "label": masked(text),
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        "usage": 0,
        "usage_daily": 0,
        "usage_weekly": 0,
        "usage_monthly": 0,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "expires_at": None,
        "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated and safe to ignore."},
        "allowed_data_regions": ["global"],
        "free_model_daily_requests": {"limit": 1000, "used": 0, "remaining": 1000},
        "budgets": [],
        "effective_budget": None,
    } | EXTENSIONS | settings


def check_whole_answer(body):
    """The plain answer to the call in calls.py, its cost exact."""
    assert re.fullmatch(r"gen-\d{10}-[0-9A-Za-z]{20}", body["id"])
    assert (body["object"], body["model"], body["provider"]) == ("chat.completion", "fake/plain", "Fake")
    [choice] = body["choices"]
    assert choice["message"]["content"] == "Hold first, settle after."
    assert choice["finish_reason"] == "stop"
    check_usage(body["usage"])


def check_embeddings(body, count):
    """The answer to a call for `count` embeddings in numbers, its cost exact."""
    assert re.fullmatch(r"gen-\d{10}-[0-9A-Za-z]{20}", body["id"])
    assert (body["object"], body["model"], body["provider"]) == ("list", "fake/embed", "Fake")
    assert body["data"] == [{"object": "embedding", "index": index, "embedding": EMBEDDING} for index in range(count)]
    usage = body["usage"]
    assert (usage["prompt_tokens"], usage["total_tokens"]) == (21, 21)
    assert (usage["cost"], usage["is_byok"]) == (EMBEDDING_COST, False)


def check_usage(usage):
    """What the provider reports for that call, and what it costs."""
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (21, 7, 28)
    assert usage["prompt_tokens_details"]["cached_tokens"] == 8
    assert (usage["cost"], usage["is_byok"]) == (COST, False)


def check_stream(events):
    """A stream is its words, a finish without usage, one event of usage, and the end, all under one id."""
    *chunks, end = events
    assert end == "[DONE]"
    assert len({(chunk["id"], chunk["model"]) for chunk in chunks}) == 1
    assert re.fullmatch(r"gen-\d{10}-[0-9A-Za-z]{20}", chunks[0]["id"])
    assert chunks[0]["model"] == "fake/plain"
    *words, finish, usage = chunks
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in words) == "Hold first, settle after."
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert [chunk for chunk in chunks if chunk.get("usage")] == [usage]
    assert usage["choices"] == []
    check_usage(usage["usage"])
