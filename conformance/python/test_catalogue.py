"""What there is to ask for, as the newest SDKs read it: models, their endpoints, and who runs them, each answer whole."""

from types import SimpleNamespace

import pytest

from clients import OPENROUTER, assert_refused
from gateway import MANAGEMENT_KEY

PROVIDERS = {
    "fake": {
        "privacy_policy_url": "https://fake.example/privacy",
        "terms_of_service_url": "https://fake.example/terms",
        "status_page_url": "https://status.fake.example",
        "headquarters": "DE",
        "datacenters": ["DE", "FR"],
    },
    "spare": {},
}
MODELS = """
[[models]]
id = "acme/small"
name = "Acme Small"
description = "Short answers."
created = 1700000000
context_length = 8192

[[models.endpoints]]
provider = "fake"
upstream_model = "small-1"
max_completion_tokens = 1024
pricing = { prompt = "0.0000000375", completion = "0.0000001501", input_cache_read = "0.00000000925" }

[[models]]
id = "acme/large:beta"
name = "Acme Large"
created = 1750000000
context_length = 128000
input_modalities = ["text", "image"]
hugging_face_id = "acme/large"
knowledge_cutoff = "2025-01-01"
expiration_date = "2027-06-30"

[[models.endpoints]]
provider = "fake"
upstream_model = "large-1"
variant = "fp8"
quantization = "fp8"
implicit_caching = true
max_completion_tokens = 16384
supported_parameters = ["tools", "tool_choice"]
image_tokens_max = 1000
pricing = { prompt = "0.000002", completion = "0.000008", image = "0.001" }

[[models.endpoints]]
provider = "spare"
upstream_model = "large-2"
context_length = 64000
max_completion_tokens = 4096
zdr = true
supported_parameters = ["response_format"]
image_tokens_max = 1000
pricing = { prompt = "0.000003", completion = "0.000009", request = "0.01" }

[[models]]
id = "spare/unlisted"
listed = false
context_length = 4096
endpoints = [{ provider = "spare", max_completion_tokens = 64, pricing = { prompt = "0", completion = "0.1" } }]
"""

ALWAYS = ["max_tokens", "temperature", "top_p", "stop", "seed", "frequency_penalty", "presence_penalty"]
SMALL_PRICING = {"prompt": "0.0000000375", "completion": "0.0000001501", "input_cache_read": "0.00000000925"}
LARGE_PRICING = {"prompt": "0.000002", "completion": "0.000008", "image": "0.001"}
SMALL_ARCHITECTURE = {"modality": "text->text", "input_modalities": ["text"], "output_modalities": ["text"]}
LARGE_ARCHITECTURE = {
    "modality": "text+image->text",
    "input_modalities": ["text", "image"],
    "output_modalities": ["text"],
}
NOT_KNOWN = {"per_request_limits": None, "default_parameters": None, "supported_voices": None}
SMALL = NOT_KNOWN | {
    "id": "acme/small",
    "object": "model",
    "owned_by": "acme",
    "canonical_slug": "acme/small",
    "name": "Acme Small",
    "description": "Short answers.",
    "created": 1700000000,
    "context_length": 8192,
    "architecture": SMALL_ARCHITECTURE,
    "pricing": SMALL_PRICING,
    "top_provider": {"context_length": 8192, "max_completion_tokens": 1024, "is_moderated": False},
    "supported_parameters": [*ALWAYS, "response_format", "tools"],
    "links": {"details": "/api/v1/models/acme/small/endpoints"},
}
LARGE = NOT_KNOWN | {
    "id": "acme/large:beta",
    "object": "model",
    "owned_by": "acme",
    "canonical_slug": "acme/large:beta",
    "name": "Acme Large",
    "created": 1750000000,
    "context_length": 128000,
    "architecture": LARGE_ARCHITECTURE,
    "pricing": LARGE_PRICING,
    "top_provider": {"context_length": 128000, "max_completion_tokens": 16384, "is_moderated": False},
    "supported_parameters": [*ALWAYS, "tools", "tool_choice", "response_format"],
    "links": {"details": "/api/v1/models/acme/large:beta/endpoints"},
    "hugging_face_id": "acme/large",
    "knowledge_cutoff": "2025-01-01",
    "expiration_date": "2027-06-30",
}


def endpoint(**known):
    """An endpoint of which nothing is known beyond `known`."""
    unmeasured = ("uptime_last_5m", "uptime_last_30m", "uptime_last_1d", "latency_last_30m", "throughput_last_30m")
    return dict.fromkeys((*unmeasured, "max_prompt_tokens", "quantization", "service_tier")) | {
        "supports_implicit_caching": False,
        "status": 0,
        "native_tools": {},
        "supports_diarization": False,
    } | known


def tool_choice(is_taken):
    return dict.fromkeys(("auto", "function", "none", "required"), is_taken)


LARGE_AT_FAKE = endpoint(
    name="Fake | acme/large:beta",
    tag="fake/fp8",
    provider_name="Fake",
    model_id="acme/large:beta",
    model_name="Acme Large",
    context_length=128000,
    max_completion_tokens=16384,
    pricing=LARGE_PRICING,
    quantization="fp8",
    supported_parameters=[*ALWAYS, "tools", "tool_choice"],
    supports_implicit_caching=True,
    supports_tool_choice=tool_choice(True),
)
LARGE_AT_SPARE = endpoint(
    name="Spare | acme/large:beta",
    tag="spare",
    provider_name="Spare",
    model_id="acme/large:beta",
    model_name="Acme Large",
    context_length=64000,
    max_completion_tokens=4096,
    pricing={"prompt": "0.000003", "completion": "0.000009", "request": "0.01"},
    supported_parameters=[*ALWAYS, "response_format"],
    supports_tool_choice=tool_choice(False),
)


@pytest.fixture(params=[client for client in OPENROUTER if client.is_asked_all], ids=str)
def driver(request, start_driver):
    return start_driver(request.param)


@pytest.fixture(scope="module")
def catalogue(start_gateway, session_provider):
    """A gateway with two models that are listed, on two providers, and one that is not."""
    providers = {slug: facts | {"base_url": session_provider.base_url} for slug, facts in PROVIDERS.items()}
    gateway = start_gateway(providers, [MODELS])
    http, wire = gateway.http(MANAGEMENT_KEY)
    http.post("/api/v1/keys", json={"name": "conformance"})
    return SimpleNamespace(url=f"{gateway.url}/api/v1", key=wire.last.json["key"])


@pytest.fixture
def sdk(driver, catalogue):
    return driver.at(catalogue.url, catalogue.key)


def ids(reply):
    return [model["id"] for model in reply.value]


def test_every_model_is_listed_whole(sdk):
    body = sdk.read("models").wire.json
    expected = {"object": "list", "data": [SMALL, LARGE], "total_count": 2, "links": {"next": None}}
    assert body == expected
    assert sdk.read("models.user").wire.json == expected
    assert sdk.read("models.count").value == {"data": {"count": 2}}


def test_a_list_is_read_to_its_end_page_by_page(driver, sdk):
    assert ids(sdk.read("models", requests=driver.client.pages(2, limit=1), limit=1)) == ["acme/small", "acme/large:beta"]
    assert ids(sdk.read("models", requests=1, limit=2, offset=1)) == ["acme/large:beta"]
    assert ids(sdk.read("models", requests=1, offset=7)) == []


FILTERS = [
    ({"q": "LARGE"}, [LARGE]),
    ({"input_modalities": "image"}, [LARGE]),
    ({"output_modalities": "embeddings"}, []),
    ({"supported_parameters": "tools,tool_choice"}, [LARGE]),
    ({"context": 8193}, [LARGE]),
    # Prices are asked for in dollars a million tokens.
    ({"max_price": 0.0375}, [SMALL]),
    ({"min_price": 0.0376}, [LARGE]),
    ({"min_output_price": 8, "max_output_price": 8}, [LARGE]),
    ({"providers": "spare"}, [LARGE]),
    ({"model_authors": "acme,spare"}, [SMALL, LARGE]),
    ({"zdr": "true"}, [LARGE]),
    ({"sort": "newest"}, [LARGE, SMALL]),
    ({"sort": "pricing-low-to-high"}, [SMALL, LARGE]),
    ({"sort": "context-high-to-low"}, [LARGE, SMALL]),
]


@pytest.mark.parametrize(("asked", "found"), [pytest.param(*filter, id=str(filter[0])) for filter in FILTERS])
def test_a_list_is_narrowed_and_sorted(sdk, asked, found):
    assert sdk.read("models", **asked).wire.json["data"] == found


def test_a_filter_that_can_not_be_is_a_typed_error(driver, sdk):
    for name, value in (("context", -1), ("limit", 1001), ("max_price", -0.5)):
        assert_refused(driver.client, sdk, "models", 400, name, **{name: value})


def test_one_model_is_read_by_its_parts(driver, sdk):
    for slug, model in (("small", SMALL), ("large:beta", LARGE)):
        assert sdk.read("models.get", author="acme", slug=slug).wire.json == {"data": model}
    assert_refused(driver.client, sdk, "models.get", 404, "Resource not found", author="acme", slug="none")


def test_the_endpoints_of_a_model_are_told_apart(driver, sdk):
    data = sdk.read("endpoints", author="acme", slug="large:beta").wire.json["data"]
    assert data == {
        "id": "acme/large:beta",
        "name": "Acme Large",
        "created": 1750000000,
        "description": "",
        "architecture": LARGE_ARCHITECTURE | {"tokenizer": "Other", "instruct_type": None},
        "endpoints": [LARGE_AT_FAKE, LARGE_AT_SPARE],
    }
    assert sdk.read("endpoints.zdr").wire.json == {"data": [LARGE_AT_SPARE]}
    assert_refused(driver.client, sdk, "endpoints", 404, "Resource not found", author="acme", slug="none")


def test_providers_are_listed_with_what_is_known_of_them(sdk):
    names = ("privacy_policy_url", "terms_of_service_url", "status_page_url", "headquarters", "datacenters")
    assert sdk.read("providers").wire.json == {
        "data": [
            {"slug": slug, "name": slug.capitalize()} | dict.fromkeys(names) | facts for slug, facts in PROVIDERS.items()
        ]
    }
