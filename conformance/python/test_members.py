"""Members of the installation and of workspaces, through every official client that has them.

As in test_clients.py, each answer is held to the contract, to what was asked for, and to what the SDK made of it.
"""

from uuid import UUID

import pytest

from clients import OPENROUTER, assert_refused
from conftest import MODELS
from expected import instant
from gateway import MANAGEMENT_KEY, NOON

ASKED = [client for client in OPENROUTER if client.is_asked_byok]
USERS = ["ada", "bob", "eve"]


@pytest.fixture(params=ASKED, ids=str)
def client(request):
    return request.param


@pytest.fixture(scope="module")
def office(start_gateway, session_provider):
    """A gateway with some users besides its operator."""
    session_provider.reset()
    gateway = start_gateway({"fake": session_provider.base_url}, MODELS)
    http, _ = gateway.http(MANAGEMENT_KEY)
    for user in USERS:
        http.post("/api/v1/organization/members", json={"id": user, "email": f"{user}@example.com", "first_name": user})
    return gateway


@pytest.fixture
def manager(client, start_driver, office):
    """The client's SDK with the management key, and a workspace that is gone afterwards."""
    http, _ = office.http(MANAGEMENT_KEY)
    http.post("/api/v1/workspaces", json={"name": "Team", "slug": "team"})
    yield start_driver(client).at(f"{office.url}/api/v1", MANAGEMENT_KEY)
    http.delete("/api/v1/workspaces/team")


def test_the_members_of_the_installation_are_its_operator_and_who_was_added(manager):
    operator, *added = manager.read("organization.members").sent
    assert (operator["id"], operator["role"]) == ("operator", "org:admin")
    assert added == [
        {"id": user, "email": f"{user}@example.com", "first_name": user, "last_name": None, "role": "org:member"}
        for user in USERS
    ]
    assert manager.read("organization.members", requests=2, limit=2, offset=1).sent == added
    # The default workspace is everybody's.
    everybody = manager.read("members.list", id="default").sent
    assert [member["user_id"] for member in everybody] == ["operator", *USERS]


def test_members_are_added_once_and_removed_once(client, manager):
    added = manager.read("members.add", id="team", user_ids=["ada", "bob"]).wire.json
    team = manager.read("workspaces.get", id="team").wire.json["data"]["id"]
    assert added["added_count"] == 2
    for member, user in zip(added["data"], ["ada", "bob"], strict=True):
        assert str(UUID(member["id"])) == member["id"]
        assert instant(member["created_at"]).date() == NOON.date()
        expected = {"id": member["id"], "workspace_id": team, "user_id": user, "role": "member"}
        assert member == expected | {"created_at": member["created_at"]}
    assert manager.read("members.list", id="team").sent == added["data"]
    again = manager.read("members.add", id="team", user_ids=["bob", "eve"]).wire.json
    assert (again["added_count"], [member["user_id"] for member in again["data"]]) == (1, ["eve"])
    assert manager.read("members.remove", id="team", user_ids=["ada", "operator"]).wire.json == {"removed_count": 1}
    assert [member["user_id"] for member in manager.read("members.list", id="team").sent] == ["bob", "eve"]


def test_who_owns_keys_stays_and_a_key_names_its_creator(client, manager):
    manager.read("members.add", id="team", user_ids=["ada"])
    team = manager.read("workspaces.get", id="team").wire.json["data"]["id"]
    made = manager.read("keys.create", name="hers", workspace_id=team, creator_user_id="ada").wire.json["data"]
    assert made["creator_user_id"] == "ada"
    assert_refused(client, manager, "members.remove", 400, "owns keys", id="team", user_ids=["ada"])
    manager.read("keys.delete", hash=made["hash"])
    assert manager.read("members.remove", id="team", user_ids=["ada"]).wire.json == {"removed_count": 1}
    refused = {"name": "nobody's", "creator_user_id": "nobody"}
    assert_refused(client, manager, "keys.create", 400, "`creator_user_id`", **refused)


def test_what_can_not_be_is_a_typed_error(client, manager, start_driver, office):
    assert_refused(client, manager, "members.add", 400, "`user_ids[1]` is no user", id="team", user_ids=["ada", "nobody"])
    assert_refused(client, manager, "members.remove", 400, "default workspace", id="default", user_ids=["ada"])
    assert manager.read("members.list", id="team").sent == []
    http, wire = office.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", json={"name": "theirs"})
    own = start_driver(client).at(f"{office.url}/api/v1", wire.last.json["key"])
    for call, given in (
        ("organization.members", {}),
        ("members.list", {"id": "team"}),
        ("members.add", {"id": "team", "user_ids": ["ada"]}),
        ("members.remove", {"id": "team", "user_ids": ["ada"]}),
    ):
        assert_refused(client, own, call, 403, "Only management keys", **given)
