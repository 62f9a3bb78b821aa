"""Every operation of docs/openapi.json that is served, called with what schemathesis makes of its schema, right and wrong.

Whatever is sent: no 5xx, no answer that its schema does not allow, and nothing for those who may not call. An operation
that is not served yet answers 404. What is generated follows from the document and a fixed seed; the number of cases an
operation, $OPERATION_EXAMPLES, is what `make nightly` raises.
"""

import os
from contextlib import suppress
from itertools import islice
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
)

from calls import HELLO
from conftest import MODELS
from contract import Answer, Contract, media_type
from gateway import MANAGEMENT_KEY
from operations import INFERENCE, SPARE_PROVIDER, Caller, boundaries, load, steered

BASE_PATHS = ("/api/v1", "/v1")
EXAMPLES = int(os.environ.get("OPERATION_EXAMPLES", "25"))
# An operation has up to some hundreds of boundaries.
BOUNDARIES_MAX = 4 * EXAMPLES

# What is served for certain; the rest is found by asking, so that a path that is new is called as well.
SERVED = {
    "POST /chat/completions",
    "POST /embeddings",
    "GET /embeddings/models",
    "GET /activity",
    "GET /byok",
    "POST /byok",
    "GET /byok/{id}",
    "PATCH /byok/{id}",
    "DELETE /byok/{id}",
    "GET /workspaces",
    "POST /workspaces",
    "GET /workspaces/{id}",
    "PATCH /workspaces/{id}",
    "DELETE /workspaces/{id}",
    "GET /workspaces/{id}/budgets",
    "GET /workspaces/{id}/budgets/{interval}",
    "PUT /workspaces/{id}/budgets/{interval}",
    "DELETE /workspaces/{id}/budgets/{interval}",
    "GET /workspaces/{id}/members",
    "POST /workspaces/{id}/members/add",
    "POST /workspaces/{id}/members/remove",
    "GET /organization/members",
    "GET /credits",
    "GET /generation",
    "GET /key",
    "GET /keys",
    "POST /keys",
    "GET /keys/{hash}",
    "PATCH /keys/{hash}",
    "DELETE /keys/{hash}",
    "GET /models",
    "GET /models/count",
    "GET /models/user",
    "GET /model/{author}/{slug}",
    "GET /models/{author}/{slug}/endpoints",
    "GET /endpoints/zdr",
    "GET /providers",
    "GET /generation/content",
}
DOCUMENT = Contract().document
# What deletes comes last: the others need what is there.
LABELS = sorted(load(steered(DOCUMENT, {})), key=lambda label: (label.startswith("DELETE"), label))


@pytest.fixture(scope="module")
def api(start_gateway, session_provider, contract, faults):
    """A gateway of its own with some keys and a generation, its operations, and everyone who may call them."""
    url = session_provider.base_url
    gateway = start_gateway({"fake": url, SPARE_PROVIDER: url}, MODELS)
    session_provider.reset()
    http, _ = gateway.http(MANAGEMENT_KEY)
    keys = [http.post("/api/v1/keys", json={"name": f"key {number}"}).json() for number in range(EXAMPLES)]
    unlimited = http.post("/api/v1/keys", json={"name": "unlimited"}).json()["key"]
    small = http.post("/api/v1/keys", json={"name": "small", "limit": 0.01, "limit_reset": "daily"}).json()["key"]
    chat = {"model": "fake/plain", "messages": HELLO}
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=chat, headers=Caller("inference", unlimited).headers)
    credential = {"provider": SPARE_PROVIDER, "key": "sk-spare"}
    credentials = [http.post("/api/v1/byok", json=credential).json()["data"]["id"] for _ in range(EXAMPLES)]
    team = {"name": "Team", "slug": "team"}
    workspaces = [http.post("/api/v1/workspaces", json=team | {"slug": f"team-{number}"}).json()["data"]["id"]
                  for number in range(EXAMPLES)]
    known = {
        "hash": [key["data"]["hash"] for key in keys],
        "id": [answer.json()["id"], *credentials, *workspaces],
        "author": ["fake"],
        "slug": ["plain", "dear", "embed"],
        "workspace_id": [keys[0]["data"]["workspace_id"]],
    }
    callers = [Caller("management", MANAGEMENT_KEY), Caller("nobody", None)]
    callers += [Caller("inference", unlimited), Caller("inference", small)]
    with requests.Session() as session:
        yield SimpleNamespace(
            url=gateway.url,
            known=known,
            operations=load(steered(DOCUMENT, known)),
            callers=callers,
            session=session,
            contract=contract,
            faults=faults,
        )


def test_what_is_served_is_served(api):
    assert {label for label in LABELS if is_served(api, label)} >= SERVED


@pytest.mark.parametrize("label", LABELS)
def test_no_request_breaks_the_contract(api, label):
    if not is_served(api, label):
        pytest.skip("not served")
    operation = api.operations[label]
    generated(api, operation, GenerationMode.POSITIVE)()
    with suppress(Unsatisfiable):  # nothing is wrong to an operation that takes any text, or nothing at all
        generated(api, operation, GenerationMode.NEGATIVE)()
    for case in islice(boundaries(operation), BOUNDARIES_MAX):
        check(api, case, callers_of(api, label)[0], BASE_PATHS[0])


def is_served(api, label):
    """Whether the gateway knows the operation: asked without a key, it says something else than 404 or 405."""
    method, path = label.split(" ")
    address = api.url + BASE_PATHS[0] + path.format_map(Names(api.known))
    answer = api.session.request(method, address)
    assert answer.status_code < 500 and answer.headers["content-type"] == "application/json"
    return answer.status_code not in (404, 405)


class Names(dict):
    """The first of the known values of each name; `x` where none is known."""

    def __init__(self, known):
        super().__init__({name: values[0] for name, values in known.items()})

    def __missing__(self, name):
        return "x"


def callers_of(api, label):
    """Everyone, those who may call the operation first."""
    return sorted(api.callers, key=lambda caller: caller.refused(label) is not None)


def generated(api, operation, mode):
    """A test of the operation with right or wrong requests, as `mode` says, most of them by those who may call it."""
    callers = callers_of(api, operation.label)
    allowed = [caller for caller in callers if caller.refused(operation.label) is None]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        operation.as_strategy(generation_mode=mode),
        strategies.sampled_from(4 * allowed + callers),
        strategies.sampled_from(BASE_PATHS),
    )
    def test(case, caller, base_path):
        check(api, case, caller, base_path)

    return test


def check(api, case, caller, base_path):
    """Sends `case` and holds the answer to the document, once by schemathesis and once by the suite's own contract."""
    label = case.operation.label
    base_url = api.url + base_path
    response = case.call(base_url=base_url, session=api.session, headers=caller.headers)
    method = response.request.method
    said = f"{label} by {caller}: {case.as_curl_command()}\n{response.status_code}: {response.content[:2000]!r}"
    if method == "OPTIONS":  # a browser's question before its request, which is no operation
        assert response.status_code in (200, 405), said
        return
    kind = response.headers.get("content-type", [""])[0]
    answer = Answer(response.status_code, httpx.Headers({"content-type": kind}), response.content.decode())
    found = api.contract.answer_faults(method, urlsplit(response.request.url).path, answer)
    assert found == [], said
    refused = caller.refused(label)
    if refused is not None and method == case.operation.method.upper():
        # A path parameter may make another path of it.
        assert response.status_code in (refused, 404), said
    case.validate_response(
        response,
        checks=checks(case, response.request.url, media_type({"content-type": kind})),
        headers=caller.headers,
        transport_kwargs={"base_url": base_url, "session": api.session},
    )


def checks(case, url, kind):
    """The checks of schemathesis that hold for an answer of that media type to `case`, sent to `url`."""
    held = [
        not_a_server_error,
        content_type_conformance,
        response_headers_conformance,
        allow_header_conformance,
        unsupported_method,
    ]
    # The document writes an event's `data` as the object that its text stands for, which schemathesis reads as text.
    if kind != "text/event-stream":
        held.append(response_schema_conformance)
    # What a chat says besides what it costs is between its client and the provider, as it is of embeddings. A parameter
    # without a value is as good as none.
    lenient = case.operation.label in INFERENCE
    if not lenient and [""] not in parse_qs(urlsplit(url).query, keep_blank_values=True).values():
        held.append(negative_data_rejection)
    return held
