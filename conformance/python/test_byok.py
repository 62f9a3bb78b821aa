"""Credentials that people bring, through every official client that has them: what it sends, what it sees, what it raises.

As in test_clients.py, each answer is held to the contract, to what was asked for, and to what the SDK made of it. No answer
has a secret in it.
"""

from uuid import UUID

import pytest

from calls import COST, HELLO, WINDOWS
from clients import OPENROUTER, assert_refused
from conftest import MODELS
from expected import instant
from fake_provider import CREDENTIAL
from gateway import MANAGEMENT_KEY, NOON

ASKED = [client for client in OPENROUTER if client.is_asked_byok]
SECRET = "sk-fake-nobody-reads-this-AbCd"
OTHER_SECRET = "sk-fake-nobody-reads-that-EfGh"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SETTINGS = ("allowed_models", "allowed_api_key_hashes", "allowed_user_ids")


@pytest.fixture(params=ASKED, ids=str)
def client(request):
    return request.param


@pytest.fixture(scope="module")
def keeper(start_gateway, session_provider):
    """A gateway that keeps credentials, and a key of it."""
    session_provider.reset()
    gateway = start_gateway({"fake": session_provider.base_url, "other": session_provider.base_url}, MODELS)
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", json={"name": "conformance"})
    return gateway, wire.last.json


@pytest.fixture
def manager(client, start_driver, keeper):
    """The client's SDK with the management key; what it made is gone afterwards."""
    gateway, _ = keeper
    yield start_driver(client).at(f"{gateway.url}/api/v1", MANAGEMENT_KEY)
    http, wire = gateway.http(MANAGEMENT_KEY)
    while http.get("/api/v1/byok", params={"limit": 100}) and wire.last.json["data"]:
        for credential in wire.last.json["data"]:
            http.delete(f"/api/v1/byok/{credential['id']}")


def create(manager, **settings):
    """Makes a credential, and gives what crossed the wire of it."""
    reply = manager.read("byok.create", **{"provider": "fake", "key": SECRET} | settings)
    assert reply.wire.status == 201
    assert SECRET not in reply.wire.text
    return reply.wire.json["data"]


def as_made(credential, keeper, **settings):
    """What a credential is for which no more was asked than `settings`; what the gateway chooses is its own."""
    _, key = keeper
    assert str(UUID(credential["id"])) == credential["id"]
    assert instant(credential["created_at"]).date() == NOON.date()
    return {
        "id": credential["id"],
        "provider": "fake",
        "workspace_id": key["data"]["workspace_id"],
        "name": None,
        "label": "sk-...AbCd",
        "disabled": False,
        "is_fallback": False,
        "is_required": False,
        "is_byok_only": False,
        "sort_order": 0,
        "declared_region": None,
        "declared_zdr": None,
        "created_at": credential["created_at"],
    } | dict.fromkeys(SETTINGS) | settings


def test_a_credential_is_made_with_every_setting_and_read_back(client, manager, keeper):
    _, key = keeper
    settings = {
        "name": "ours",
        "disabled": True,
        "is_fallback": True,
        "allowed_models": ["fake/plain", "fake/dear"],
        "allowed_api_key_hashes": [key["data"]["hash"]],
        "allowed_user_ids": ["user_1", "user_2"],
    }
    later = {"is_required": True, "declared_zdr": True, "declared_region": "europe"}
    settings |= {name: value for name, value in later.items() if name not in client.byok_unread}
    credential = create(manager, workspace_id=key["data"]["workspace_id"], **settings)
    assert credential == as_made(credential, keeper, **settings)
    assert manager.read("byok.get", id=credential["id"]).wire.json["data"] == credential


def test_a_credential_is_made_of_no_more_than_a_provider_and_a_key(manager, keeper):
    credential = create(manager)
    assert credential == as_made(credential, keeper)
    assert create(manager)["sort_order"] == 1
    assert create(manager, provider="other")["sort_order"] == 0


def test_what_a_client_leaves_unread_is_only_what_came_after_it(client, manager):
    credential = create(manager)
    reply = manager.read("byok.get", id=credential["id"])
    assert sorted(reply.wire.json["data"].keys() - reply.value["data"].keys()) == sorted(client.byok_unread)


def test_a_list_is_read_to_its_end_a_page_at_a_time(client, manager):
    made = [create(manager, name=f"credential {number}") for number in range(5)]
    other = create(manager, provider="other")
    # The page that is not full is the last; one after pages that are all full is empty.
    assert manager.read("byok.list", requests=client.pages(6, limit=3), limit=3, offset=0).sent == made + [other]
    assert manager.read("byok.list", requests=1).sent == made + [other]
    assert manager.read("byok.list", provider="other").sent == [other]
    assert manager.read("byok.list", requests=2, limit=2, offset=3).sent == made[3:] + [other]
    workspace = {"workspace_id": made[0]["workspace_id"]}
    reply = manager.read("byok.list", **workspace)
    assert (reply.sent, reply.wire.json["total_count"]) == (made + [other], 6)


def test_a_change_leaves_what_is_omitted_and_null_clears(manager, keeper):
    _, key = keeper
    hashes = [key["data"]["hash"]]
    before = create(
        manager, name="ours", allowed_models=["fake/plain"], allowed_api_key_hashes=hashes, allowed_user_ids=["user_1"]
    )

    def changed(**settings):
        return manager.read("byok.update", id=before["id"], **settings).wire.json["data"]

    assert changed(disabled=True, is_fallback=True) == before | {"disabled": True, "is_fallback": True}
    cleared = dict.fromkeys(("name", *SETTINGS))
    assert changed(**cleared) == before | {"disabled": True, "is_fallback": True} | cleared
    replaced = {"name": "theirs", "allowed_models": ["fake/*"], "allowed_user_ids": ["user_2"], "disabled": False}
    assert changed(**replaced) == before | cleared | {"is_fallback": True} | replaced


def test_a_secret_is_rotated_and_never_shown(manager):
    credential = create(manager)
    reply = manager.read("byok.update", id=credential["id"], key=OTHER_SECRET)
    assert reply.wire.json["data"] == credential | {"label": "sk-...EfGh"}
    assert OTHER_SECRET not in reply.wire.text


def test_a_deleted_credential_is_gone(client, manager):
    credential = create(manager)
    assert manager.read("byok.delete", id=credential["id"]).wire.json == {"deleted": True}
    for call, settings in (("byok.get", {}), ("byok.update", {"name": "x"}), ("byok.delete", {})):
        assert_refused(client, manager, call, 404, "Resource not found", id=credential["id"], **settings)
    assert manager.read("byok.list").sent == []


def test_a_chat_goes_with_the_credential_and_is_its_owners_to_pay(client, manager, start_driver, keeper):
    gateway, _ = keeper
    key = manager.read("keys.create", name="spender").wire.json
    own = start_driver(client).at(f"{gateway.url}/api/v1", key["key"])
    credential = create(manager, key=CREDENTIAL, allowed_api_key_hashes=[key["data"]["hash"]])

    usage = own.read("chat", model="fake/plain", messages=HELLO).wire.json["usage"]
    assert (usage["is_byok"], usage["cost"]) == (True, 0)
    assert usage["cost_details"]["upstream_inference_cost"] == COST
    *_, last = own.read("chat", model="fake/plain", messages=HELLO, stream=True).sent
    assert (last["usage"]["is_byok"], last["usage"]["cost"]) == (True, 0)
    brought = manager.read("keys.get", hash=key["data"]["hash"]).wire.json["data"]
    assert [brought[f"byok_{window}"] for window in WINDOWS] == [2 * COST] * 4
    assert [brought[window] for window in WINDOWS] == [0] * 4

    # One that the provider refuses falls through to the operator's own.
    manager.read("byok.update", id=credential["id"], key=SECRET)
    usage = own.read("chat", model="fake/plain", messages=HELLO).wire.json["usage"]
    assert (usage["is_byok"], usage["cost"]) == (False, COST)
    after = manager.read("keys.get", hash=key["data"]["hash"]).wire.json["data"]
    assert (after["usage"], after["byok_usage"]) == (COST, 2 * COST)
    manager.read("keys.delete", hash=key["data"]["hash"])


def test_what_can_not_be_is_a_typed_error(client, manager, start_driver, keeper):
    gateway, key = keeper
    for settings, message in (
        ({"provider": "nobody"}, "`provider` is no provider of this gateway: nobody"),
        ({"key": '[{"api_key": "k"}]'}, "`key` is a JSON document"),
        ({"key": ""}, "`key` is blank"),
        ({"workspace_id": UNKNOWN}, "`workspace_id` is not a workspace"),
        ({"allowed_api_key_hashes": []}, "`allowed_api_key_hashes` is empty"),
        ({"allowed_api_key_hashes": ["0" * 64]}, "`allowed_api_key_hashes[0]` is no key"),
        ({"allowed_models": ["fake/none"]}, "`allowed_models[0]` means no model"),
    ):
        given = {"provider": "fake", "key": SECRET} | settings
        assert_refused(client, manager, "byok.create", 400, message, **given)
    credential = create(manager)
    assert_refused(client, manager, "byok.update", 400, "No update fields provided", id=credential["id"])
    assert_refused(client, manager, "byok.list", 400, "`workspace_id` is not a workspace", workspace_id=UNKNOWN)
    own = start_driver(client).at(f"{gateway.url}/api/v1", key["key"])
    named = {"id": credential["id"]}
    for call, given in (
        ("byok.list", {}),
        ("byok.create", {"provider": "fake", "key": SECRET}),
        ("byok.get", named),
        ("byok.update", named | {"name": "x"}),
        ("byok.delete", named),
    ):
        assert_refused(client, own, call, 403, "Only management keys", **given)
