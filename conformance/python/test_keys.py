"""Keys as the official SDK sees them: made, read, listed, changed, deleted and refused."""

import hashlib
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from openrouter import errors

from expected import as_new, instant, unlimited
from gateway import MANAGEMENT_KEY, NOON

MIDNIGHT = "2026-11-19T00:00:00"
UNKNOWN_HASH = "0" * 64


# Creation


def test_a_new_key_is_answered_whole_with_its_text(gateway, manage):
    before = gateway.clock.now() - timedelta(milliseconds=1)
    key = manage.create()
    after = gateway.clock.now()

    answer = manage.wire.last
    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch(r"sk-or-v1-[0-9a-f]{64}", key.text)
    # Older clients read the text inside `data`; it is in both places on this one answer.
    assert answer.json["data"]["key"] == key.text
    assert key.data == as_new(key)
    assert before <= instant(key.data["created_at"]) <= after


def test_settings_given_at_creation_are_kept(manage):
    expiry = datetime(2027, 1, 1, tzinfo=timezone.utc)
    key = manage.create(name="ci", limit=25.5, limit_reset="weekly", include_byok_in_limit=True, expires_at=expiry)

    settings = {"name": "ci", "limit": Decimal("25.5"), "limit_remaining": Decimal("25.5"), "limit_reset": "weekly"}
    settings |= {"include_byok_in_limit": True, "expires_at": key.data["expires_at"]}
    assert key.data == as_new(key, **settings)
    assert instant(key.data["expires_at"]) == expiry
    assert manage.data(key) == key.data


def test_a_limit_keeps_nine_digits_and_is_rounded_down_beyond(gateway):
    http, wire = gateway.http(MANAGEMENT_KEY)
    for given, kept in [("0.000000001", "0.000000001"), ("0.0000000019", "0.000000001"), ("5e-05", "0.00005"), ("0", "0")]:
        http.post("/api/v1/keys", content='{"name": "precise", "limit": %s}' % given)
        data = wire.last.json["data"]
        assert (data["limit"], data["limit_remaining"]) == (Decimal(kept), Decimal(kept))


def test_a_trailing_slash_makes_a_key_as_well(gateway):
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys/", json={"name": "slash"})
    assert wire.last.status == 201


def test_a_keys_text_is_shown_once_and_never_logged(gateway, manage):
    key = manage.create()
    manage.data(key)
    manage.keys.list()
    assert not [answer for answer in manage.wire.answers[1:] if key.text in answer.text]
    assert key.text not in gateway.log.read_text(errors="replace")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("{}", "name"),
        ('{"name": null}', "name"),
        ('{"name": ""}', "name"),
        ('{"name": "   "}', "name"),
        ('{"name": "%s"}' % ("x" * 256), "name"),
        ('{"name": "x", "limit": -1}', "limit"),
        ('{"name": "x", "limit": "5"}', "limit"),
        ('{"name": "x", "limit": 1e400}', "limit"),
        ('{"name": "x", "limit_reset": "hourly"}', "limit_reset"),
        ('{"name": "x", "include_byok_in_limit": null}', "include_byok_in_limit"),
        ('{"name": "x", "workspace_id": "default"}', "workspace_id"),
        ('{"name": "x", "creator_user_id": ""}', "creator_user_id"),
        ('{"name": "x",', ""),
        ("[]", ""),
    ],
)
def test_a_bad_body_is_400_and_names_the_field(gateway, body, named):
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", content=body, headers={"content-type": "application/json"})
    assert wire.last.status == 400
    assert named in wire.last.json["error"]["message"]


# Expiry


@pytest.mark.parametrize("text", ["2026-12-31T00:00:00Z", "2026-12-31T00:00:00+00:00", "2026-12-31T00:00:00.000Z"])
def test_an_expiry_in_utc_with_seconds_is_taken(gateway, text):
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", json={"name": "expires", "expires_at": text})
    assert wire.last.status == 201
    assert instant(wire.last.json["data"]["expires_at"]) == datetime(2026, 12, 31, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    ["2026-12-31T00:00:00+02:00", "2026-12-31T00:00:00", "2026-12-31T00:00Z", "2026-12-31 00:00:00Z", "2026-12-31", "soon"],
)
def test_an_expiry_that_could_be_misread_is_400(gateway, text):
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", json={"name": "expires", "expires_at": text})
    assert wire.last.status == 400
    assert "expires_at" in wire.last.json["error"]["message"]


def test_a_datetime_without_a_zone_is_refused_and_not_guessed(manage):
    with pytest.raises(errors.BadRequestResponseError, match="Z"):
        manage.create(expires_at=datetime(2026, 12, 31))


def test_a_key_ends_at_its_expiry(own_gateway, own_manage):
    expiry = NOON + timedelta(hours=1)
    key = own_manage.create(expires_at=expiry)
    sdk, _ = own_gateway.openrouter(key.text)

    own_gateway.clock.set(expiry - timedelta(minutes=1))
    sdk.api_keys.get_current_key_metadata()
    own_gateway.clock.set(expiry)
    with pytest.raises(errors.UnauthorizedResponseError, match="User not found"):
        sdk.api_keys.get_current_key_metadata()


# Lists


def test_101_keys_are_a_page_of_100_a_page_of_1_and_an_empty_one(own_gateway, own_manage):
    made = [own_manage.create(name=f"key {number}") for number in range(101)]

    pages = []
    for offset in (0, 100, 101):
        own_manage.keys.list(offset=offset)
        pages.append(own_manage.wire.last.json["data"])

    assert [len(page) for page in pages] == [100, 1, 0]
    listed = pages[0] + pages[1]
    assert sorted(row["hash"] for row in listed) == sorted(key.hash for key in made)
    moments = [instant(row["created_at"]) for row in listed]
    assert moments == sorted(moments, reverse=True)
    assert {row["hash"]: row for row in listed} == {key.hash: key.data for key in made}


def test_disabled_and_expired_keys_are_listed_only_when_asked_for(own_gateway, own_manage):
    live = own_manage.create()
    disabled = own_manage.create()
    own_manage.keys.update(hash=disabled.hash, disabled=True)
    expired = own_manage.create(expires_at=NOON - timedelta(hours=1))

    def hashes(**filters):
        return {row.hash for row in own_manage.keys.list(**filters).data}

    assert hashes() == {live.hash}
    assert hashes(include_disabled=True) == {live.hash, disabled.hash}
    assert hashes(include_expired=True) == {live.hash, expired.hash}
    assert hashes(include_disabled=True, include_expired=True) == {live.hash, disabled.hash, expired.hash}


def test_an_unknown_workspace_is_404_and_a_malformed_one_400(manage):
    with pytest.raises(errors.NotFoundResponseError):
        manage.keys.list(workspace_id="00000000-0000-4000-8000-000000000000")
    with pytest.raises(errors.BadRequestResponseError, match="workspace_id"):
        manage.keys.list(workspace_id="nowhere")


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "include_disabled=perhaps"])
def test_a_bad_query_is_400_and_names_the_parameter(gateway, query):
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.get(f"/api/v1/keys?{query}")
    assert wire.last.status == 400
    assert query.split("=")[0] in wire.last.json["error"]["message"]


# Changes


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
def test_a_change_changes_its_field_and_nothing_else(gateway, manage, change, then):
    key = manage.create(limit=7, limit_reset="daily")
    before = gateway.clock.now() - timedelta(milliseconds=1)
    manage.keys.update(hash=key.hash, **change)
    after = gateway.clock.now()

    data = manage.wire.last.json["data"]
    assert data == key.data | then | {"updated_at": data["updated_at"]}
    assert before <= instant(data["updated_at"]) <= after
    assert manage.data(key) == data


@pytest.mark.parametrize("body", ["{}", '{"foo": 1}'])
def test_a_change_of_nothing_is_400(gateway, manage, body):
    key = manage.create()
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.patch(f"/api/v1/keys/{key.hash}", content=body)
    assert (wire.last.status, wire.last.json["error"]["message"]) == (400, "No update fields provided")
    assert manage.data(key) == key.data


@pytest.mark.parametrize(
    "body",
    ['{"name": null, "disabled": true, "limit": null}', '{"limit": null, "disabled": null}', '{"name": ""}'],
)
def test_a_refused_change_changes_nothing(gateway, manage, body):
    # A client that sends null for what it leaves alone must not take a limit off a key by it.
    key = manage.create(limit=1)
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.patch(f"/api/v1/keys/{key.hash}", content=body)
    assert wire.last.status == 400
    assert manage.data(key) == key.data


def test_a_disabled_key_is_refused_until_it_is_enabled(gateway, manage):
    key = manage.create()
    sdk, _ = gateway.openrouter(key.text)
    manage.keys.update(hash=key.hash, disabled=True)
    with pytest.raises(errors.UnauthorizedResponseError, match="User not found"):
        sdk.api_keys.get_current_key_metadata()
    manage.keys.update(hash=key.hash, disabled=False)
    sdk.api_keys.get_current_key_metadata()


def test_a_deleted_key_is_gone_at_once_and_for_good(gateway, manage):
    key = manage.create()
    sdk, _ = gateway.openrouter(key.text)
    manage.keys.delete(hash=key.hash)
    assert (manage.wire.last.status, manage.wire.last.json) == (200, {"deleted": True})

    with pytest.raises(errors.UnauthorizedResponseError):
        sdk.api_keys.get_current_key_metadata()
    for call in (manage.keys.get, manage.keys.delete):
        with pytest.raises(errors.NotFoundResponseError, match="Resource not found"):
            call(hash=key.hash)
    with pytest.raises(errors.NotFoundResponseError):
        manage.keys.update(hash=key.hash, name="back")
    assert key.hash not in {row.hash for row in manage.keys.list(include_disabled=True, include_expired=True).data}


# Refusals


@pytest.mark.parametrize("hash", [UNKNOWN_HASH, "A" * 64, "not-a-hash", hashlib.sha256(MANAGEMENT_KEY.encode()).hexdigest()])
def test_what_is_no_inference_key_is_404(manage, hash):
    with pytest.raises(errors.NotFoundResponseError, match="Resource not found"):
        manage.keys.get(hash=hash)


def test_an_unknown_key_is_401(gateway):
    sdk, wire = gateway.openrouter("sk-or-v1-" + "0" * 64)
    with pytest.raises(errors.UnauthorizedResponseError, match="User not found"):
        sdk.api_keys.list()
    assert wire.last.headers["www-authenticate"] == "Bearer"


def test_no_key_is_401(gateway):
    http, wire = gateway.http()
    http.get("/api/v1/keys")
    assert (wire.last.status, wire.last.json["error"]["message"]) == (401, "Missing Authentication header")


def test_an_inference_key_manages_nothing(gateway, manage):
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    with pytest.raises(errors.ForbiddenResponseError, match="Only management keys can perform this operation"):
        sdk.api_keys.create(name="mine")
    for call in (
        lambda: sdk.api_keys.list(),
        lambda: sdk.api_keys.get(hash=key.hash),
        lambda: sdk.api_keys.update(hash=key.hash, limit=None),
        lambda: sdk.api_keys.delete(hash=key.hash),
    ):
        with pytest.raises(errors.OpenRouterError):
            call()
        assert wire.last.status == 403
    assert manage.data(key) == key.data


@pytest.mark.parametrize(("method", "path", "status"), [("PUT", "/api/v1/keys", 405), ("GET", "/api/v1/nowhere", 404)])
def test_what_the_api_does_not_have_gets_the_envelope(gateway, method, path, status):
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.request(method, path)
    assert wire.last.status == status


# The calling key


def test_an_inference_key_reads_its_own_facts(gateway, manage):
    key = manage.create(limit=2.5, limit_reset="daily")
    sdk, wire = gateway.openrouter(key.text)
    sdk.api_keys.get_current_key_metadata()

    data = wire.last.json["data"]
    budget = {
        "scope": "key_limit",
        "guardrail_id": None,
        "budget_id": None,
        "limit_usd": Decimal("2.5"),
        "spend_usd": 0,
        "remaining_usd": Decimal("2.5"),
        "reset_interval": "daily",
        "resets_at": data["effective_budget"]["resets_at"],
        "include_byok": False,
    }
    limited = {"limit": Decimal("2.5"), "limit_remaining": Decimal("2.5"), "limit_reset": "daily"}
    limited |= {"budgets": [budget], "effective_budget": budget}
    owner = {"organization_id": data["organization_id"], "workspace_id": key.data["workspace_id"], "creator_user_id": None}
    assert data == unlimited(key.text, **limited, **owner)
    assert instant(budget["resets_at"]) == datetime.fromisoformat(MIDNIGHT + "+00:00")


def test_a_management_key_reads_its_own_facts(gateway):
    sdk, wire = gateway.openrouter(MANAGEMENT_KEY)
    sdk.api_keys.get_current_key_metadata()
    data = wire.last.json["data"]
    owner = {member: data[member] for member in ("organization_id", "workspace_id", "creator_user_id")}
    assert data == unlimited(MANAGEMENT_KEY, is_management_key=True, is_provisioning_key=True, **owner)


def test_the_old_path_of_the_calling_key_answers_alike(gateway, manage):
    http, wire = gateway.http(manage.create().text)
    http.get("/api/v1/key")
    now = wire.last.json
    http.get("/api/v1/auth/key")
    assert (wire.last.status, wire.last.json) == (200, now)
