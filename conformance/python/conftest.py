"""What the tests share: the gateway, the provider behind it, and the rule that no answer breaks the contract."""

from contextlib import ExitStack
from types import SimpleNamespace

import pytest

pytest.register_assert_rewrite("calls", "clients", "expected")

from clients import Driver
from contract import Contract
from fake_provider import FakeProvider
from gateway import MANAGEMENT_KEY, Gateway, embedding_model, model

# `fake/plain` has prices that leave fractions of a nano-dollar; `fake/dear` charges ten cents for each completion
# token and nothing else, so that a limit of a dollar is ten tokens.
MODELS = [
    model("fake/plain", "fake", "plain-1", 8192, 1024,
          prompt="0.0000000375", completion="0.0000001501", input_cache_read="0.00000000925"),
    model("fake/dear", "fake", "dear-1", 8192, 1024, prompt="0", completion="0.1"),
    embedding_model("fake/embed", "fake", "embed-1", 512, prompt="0.0000000375"),
]


@pytest.fixture(scope="session")
def contract():
    return Contract()


@pytest.fixture(scope="session")
def faults():
    """What broke the contract since it was last looked at, a line each."""
    return []


@pytest.fixture(autouse=True)
def contract_is_kept(faults):
    """Fails the test in which an answer broke the contract, whatever the test itself was about."""
    faults.clear()
    yield
    assert faults == []


@pytest.fixture(scope="session")
def session_provider():
    provider = FakeProvider()
    yield provider
    provider.close()


@pytest.fixture
def provider(session_provider):
    """The fake provider, with what earlier tests told it forgotten."""
    session_provider.reset()
    return session_provider


@pytest.fixture(scope="session")
def start_gateway(tmp_path_factory, contract, faults):
    """Starts a gateway; each one started must have a book that agrees, and end with exit code 0 when it is asked to."""
    with ExitStack() as started:

        def start(providers, models):
            gateway = Gateway(tmp_path_factory.mktemp("gateway"), providers, models, contract, faults)
            started.callback(gateway.end)
            return gateway

        yield start


@pytest.fixture(scope="session")
def gateway(start_gateway, session_provider):
    """The gateway that most tests share. Its clock stays where it is."""
    return start_gateway({"fake": session_provider.base_url}, MODELS)


@pytest.fixture
def own_gateway(start_gateway, session_provider):
    """A gateway for one test, which may move its clock and count all its keys."""
    gateway = start_gateway({"fake": session_provider.base_url}, MODELS)
    yield gateway
    gateway.end()


@pytest.fixture(scope="session")
def start_driver(contract, faults):
    """The process of a client, started when a test first needs it."""
    with ExitStack() as started:
        drivers = {}

        def start(client):
            if client.name not in drivers:
                drivers[client.name] = Driver(client, contract, faults)
                started.callback(drivers[client.name].close)
            return drivers[client.name]

        yield start


@pytest.fixture
def manage(gateway):
    """The SDK with the shared gateway's management key."""
    return Manager(gateway)


@pytest.fixture
def own_manage(own_gateway):
    """The SDK with the management key of the test's own gateway."""
    return Manager(own_gateway)


class Manager:
    """The official SDK with a management key, and what its last answer said in exact numbers."""

    def __init__(self, gateway):
        self.sdk, self.wire = gateway.openrouter(MANAGEMENT_KEY)

    @property
    def keys(self):
        return self.sdk.api_keys

    def create(self, **settings):
        """Makes a key: its text, its hash, and the whole `data` as it crossed the wire."""
        self.keys.create(**{"name": "conformance"} | settings)
        body = self.wire.last.json
        # The text stands in `data` as well on this one answer, for older clients; no later answer has it.
        data = {member: value for member, value in body["data"].items() if member != "key"}
        return SimpleNamespace(text=body["key"], hash=data["hash"], data=data)

    def data(self, key):
        """`GetKeyData` of `key`, its numbers exact."""
        self.keys.get(hash=key.hash)
        return self.wire.last.json["data"]
