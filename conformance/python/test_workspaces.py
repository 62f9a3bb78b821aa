"""Workspaces and their budgets, through every official client that has them: what it sends, what it sees, what it raises.

As in test_clients.py, each answer is held to the contract, to what was asked for, and to what the SDK made of it.
"""

from uuid import UUID

import pytest

from calls import COST, HELLO
from clients import OPENROUTER, assert_refused
from conftest import MODELS
from expected import instant
from gateway import MANAGEMENT_KEY, NOON

ASKED = [client for client in OPENROUTER if client.is_asked_byok]
UNKNOWN = "00000000-0000-4000-8000-000000000000"
NULLABLE = ("description", "default_text_model", "default_image_model", "default_provider_sort")


@pytest.fixture(params=ASKED, ids=str)
def client(request):
    return request.param


@pytest.fixture(scope="module")
def office(start_gateway, session_provider):
    session_provider.reset()
    return start_gateway({"fake": session_provider.base_url}, MODELS)


@pytest.fixture
def manager(client, start_driver, office):
    """The client's SDK with the management key; what it made is gone afterwards."""
    yield start_driver(client).at(f"{office.url}/api/v1", MANAGEMENT_KEY)
    http, wire = office.http(MANAGEMENT_KEY)
    http.get("/api/v1/workspaces", params={"limit": 100})
    for workspace in wire.last.json["data"]:
        http.get("/api/v1/keys", params={"workspace_id": workspace["id"], "include_disabled": "true"})
        for key in wire.last.json["data"]:
            http.delete(f"/api/v1/keys/{key['hash']}")
        if workspace["slug"] == "default":
            for interval in ("daily", "weekly", "monthly", "lifetime"):
                http.delete(f"/api/v1/workspaces/default/budgets/{interval}")
        else:
            http.delete(f"/api/v1/workspaces/{workspace['id']}")


def create(manager, slug, **settings):
    """Makes a workspace, and gives what crossed the wire of it."""
    reply = manager.read("workspaces.create", **{"name": "Team", "slug": slug} | settings)
    assert reply.wire.status == 201
    return reply.wire.json["data"]


def as_made(workspace, slug, **settings):
    """What a workspace is for which no more was asked than `settings`; what the gateway chooses is its own."""
    for member in ("id", "default_guardrail_id"):
        assert str(UUID(workspace[member])) == workspace[member]
    assert instant(workspace["created_at"]).date() == NOON.date()
    return {
        "id": workspace["id"],
        "name": "Team",
        "slug": slug,
        "default_guardrail_id": workspace["default_guardrail_id"],
        "is_observability_io_logging_enabled": False,
        "is_observability_broadcast_enabled": False,
        "is_data_discount_logging_enabled": workspace["is_data_discount_logging_enabled"],
        "io_logging_sampling_rate": 1,
        "io_logging_api_key_ids": None,
        "include_byok_in_budgets": False,
        "disabled_server_tools": None,
        "created_at": workspace["created_at"],
        "updated_at": None,
        "created_by": workspace["created_by"],
    } | dict.fromkeys(NULLABLE) | settings


def test_a_workspace_is_made_read_by_id_or_slug_and_listed(manager):
    settings = {"description": "who builds", "default_text_model": "fake/plain", "default_provider_sort": "price"}
    made = create(manager, "team", **settings)
    assert made == as_made(made, "team", **settings)
    for named in (made["id"], "team"):
        assert manager.read("workspaces.get", id=named).wire.json["data"] == made
    bare = create(manager, "other")
    assert bare == as_made(bare, "other")
    first, *rest = manager.read("workspaces.list").sent
    assert (first["slug"], rest) == ("default", [made, bare])


def test_a_list_is_read_to_its_end_a_page_at_a_time(client, manager):
    made = [create(manager, f"team-{number}") for number in range(5)]
    assert manager.read("workspaces.list", requests=client.pages(6, limit=2), limit=2, offset=0).sent[1:] == made
    assert manager.read("workspaces.list", requests=2, limit=3, offset=2).sent == made[1:]


def test_a_change_leaves_what_is_omitted_and_null_clears(manager):
    before = create(manager, "team", description="who builds", default_text_model="fake/plain")

    def changed(**settings):
        after = manager.read("workspaces.update", id="team", **settings).wire.json["data"]
        assert instant(after["updated_at"]).date() == NOON.date()
        return after | {"updated_at": None}

    assert changed(name="Builders") == before | {"name": "Builders"}
    cleared = {"description": None, "default_text_model": None}
    assert changed(**cleared) == before | {"name": "Builders"} | cleared


def test_what_can_not_be_is_a_typed_error(client, manager, start_driver, office):
    create(manager, "team")
    for settings, message in (
        ({"slug": "team"}, "`slug`"),
        ({"slug": "No Slug"}, "`slug`"),
        ({"name": ""}, "`name`"),
        ({"default_text_model": "fake/none"}, "`default_text_model`"),
    ):
        assert_refused(client, manager, "workspaces.create", 400, message, **{"name": "x", "slug": "x"} | settings)
    for call, settings in (("workspaces.get", {}), ("workspaces.update", {"name": "x"}), ("workspaces.delete", {})):
        assert_refused(client, manager, call, 404, "Resource not found", id=UNKNOWN, **settings)
    assert_refused(client, manager, "workspaces.delete", 403, "default", id="default")
    http, wire = office.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", json={"name": "theirs"})
    own = start_driver(client).at(f"{office.url}/api/v1", wire.last.json["key"])
    for call, given in (
        ("workspaces.list", {}),
        ("workspaces.create", {"name": "x", "slug": "x"}),
        ("workspaces.get", {"id": "team"}),
        ("workspaces.update", {"id": "team", "name": "x"}),
        ("workspaces.delete", {"id": "team"}),
        ("budgets.list", {"workspace_ref": "team"}),
        ("budgets.get", {"workspace_ref": "team", "interval": "daily"}),
        ("budgets.set", {"workspace_ref": "team", "interval": "daily", "limit_usd": 1}),
        ("budgets.delete", {"workspace_ref": "team", "interval": "daily"}),
    ):
        assert_refused(client, own, call, 403, "Only management keys", **given)


def test_a_workspace_with_keys_stays_and_goes_once_they_have_moved(client, manager, office):
    team = create(manager, "team")
    key = manager.read("keys.create", name="theirs", workspace_id=team["id"]).wire.json["data"]
    assert key["workspace_id"] == team["id"]
    listed = manager.read("keys.list", workspace_id=team["id"]).wire.json["data"]
    assert [other["hash"] for other in listed] == [key["hash"]]
    assert_refused(client, manager, "workspaces.delete", 400, "key", id="team")
    # The SDKs have no member to move a key by yet.
    http, wire = office.http(MANAGEMENT_KEY)
    default = manager.read("workspaces.get", id="default").wire.json["data"]["id"]
    http.patch(f"/api/v1/keys/{key['hash']}", json={"workspace_id": default})
    assert wire.last.json["data"]["workspace_id"] == default
    assert manager.read("workspaces.delete", id=team["id"]).wire.json == {"deleted": True}
    assert_refused(client, manager, "workspaces.get", 404, "Resource not found", id="team")


def test_budgets_are_set_read_replaced_and_taken_away(client, manager):
    team = create(manager, "team")
    named = {"workspace_ref": "team"}
    assert manager.read("budgets.list", **named).wire.json == {"data": [], "include_byok_in_budgets": False}
    daily = manager.read("budgets.set", **named, interval="daily", limit_usd=2).wire.json["data"]
    assert daily == {
        "id": daily["id"],
        "workspace_id": team["id"],
        "limit_usd": 2,
        "reset_interval": "daily",
        "created_at": daily["created_at"],
        "updated_at": daily["updated_at"],
    }
    lifetime = manager.read("budgets.set", **named, interval="lifetime", limit_usd=50, include_byok_in_budgets=True)
    assert lifetime.wire.json["data"]["reset_interval"] is None
    assert lifetime.wire.json["include_byok_in_budgets"] is True
    listed = manager.read("budgets.list", **named).wire.json
    assert listed == {"data": [lifetime.wire.json["data"], daily], "include_byok_in_budgets": True}
    again = manager.read("budgets.set", **named, interval="daily", limit_usd=3).wire.json["data"]
    assert (again["id"], again["limit_usd"]) == (daily["id"], 3)
    assert manager.read("budgets.get", **named, interval="daily").wire.json["data"] == again
    assert_refused(
        client, manager, "budgets.set", 400, "strictly decreasing", **named, interval="monthly", limit_usd=60
    )
    assert_refused(client, manager, "budgets.set", 400, "`limit_usd`", **named, interval="monthly", limit_usd=0)
    for _ in range(2):
        assert manager.read("budgets.delete", **named, interval="daily").wire.json == {"deleted": True}
    assert_refused(client, manager, "budgets.get", 404, "Resource not found", **named, interval="daily")


def test_a_budget_refuses_every_key_of_its_workspace_once_it_is_spent(client, manager, start_driver, office):
    team = create(manager, "team")
    keys = [manager.read("keys.create", name="theirs", workspace_id=team["id"]).wire.json for _ in range(2)]
    first, second = [start_driver(client).at(f"{office.url}/api/v1", key["key"]) for key in keys]
    assert first.read("chat", model="fake/plain", messages=HELLO).wire.json["usage"]["cost"] == COST
    manager.read("budgets.set", workspace_ref="team", interval="daily", limit_usd=float(COST))
    reply = second.call("chat", model="fake/plain", messages=HELLO)
    assert (reply.wire.status, reply.error["kind"]) == (403, client.raises("chat", 403))
    assert reply.wire.json["error"]["message"].startswith("Workspace daily budget of $")
    budget = second.read("key").wire.json["data"]["effective_budget"]
    assert (budget["scope"], budget["spend_usd"], budget["remaining_usd"]) == ("workspace", COST, 0)
