"""Every client under test: an official SDK, unmodified, in a process of its own, that one scenario drives like any other.

The one for Go is no SDK: the SDK's module can't be fetched where these tests run, and ../go reads answers into the same
types as it does. The one for Rust is this project's own, of which more is asked: it must know all that is sent. A driver
(driver.py, ../typescript/driver.mjs, ../go, crates/conformance) reads one call a line and answers each with a line:

    {"call": "keys.get", "base_url": …, "key": …, "arguments": {"hash": …}}
    {"value": … or "error": {"kind", "status", "message"}, "exchanges": [{"method", "path", "status", "media_type", "text"}]}

`value` is what the SDK decoded, under the wire's names; `text` the raw body below it. Calls and their arguments have the
wire's names as well: what a generation calls them is its driver's affair.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from contract import Answer, exact, media_type
from gateway import ROOT

DRIVERS = ROOT / "conformance"

# What a typed error is called, in the newest generation in every language.
TYPED = {
    400: "BadRequestResponseError",
    401: "UnauthorizedResponseError",
    402: "PaymentRequiredResponseError",
    403: "ForbiddenResponseError",
    404: "NotFoundResponseError",
}


@dataclass(frozen=True)
class Client:
    """A client of one generation: how it is started, and where that differs from the newest."""

    name: str
    command: object  # makes the command line; only what is run is installed
    # Members of a key, of `GET /key` and of a credential that it drops without a word.
    key_unread: tuple = ()
    current_unread: tuple = ()
    byok_unread: tuple = ()
    # What it raises where that is not the type in TYPED, by call and status.
    errors: dict = field(default_factory=dict)
    # Whether its query parameters are text, whatever they mean.
    query_is_text: bool = False
    is_newest: bool = True
    # Whether it is also asked for what is neither a key nor a chat, and for credentials.
    is_asked_all: bool = False
    is_asked_byok: bool = False
    # Whether it is this project's own: nothing that is sent may be unknown to it, a list ends where its total says so,
    # and all its errors are of one type.
    is_ours: bool = False
    # Arguments that it has no way to say, so that no request is made.
    unsayable: tuple = ()

    def raises(self, call, status):
        """The type of error that it raises when `call` is answered with `status`."""
        return "Error" if self.is_ours else self.errors.get((call, status), TYPED[status])

    def pages(self, items, limit):
        """How many requests it reads a list of `items` with, `limit` a page; most want a page that is not full."""
        return -(-items // limit) if self.is_ours else items // limit + 1

    def __str__(self):
        return self.name


def python(package, requirements):
    """A driver in the environment of `requirements`; None is the suite's own."""

    def command():
        program = sys.executable if requirements is None else f"{installed('python-env', requirements)}/python"
        return [program, DRIVERS / "python/driver.py", package]

    return command


def node(package):
    return lambda: ["node", DRIVERS / "typescript/driver.mjs", installed("node-env"), package]


def go():
    return [installed("go-driver")]


def rust():
    return [installed("rust-driver")]


def installed(script, *arguments):
    """The folder that one of scripts/ prints, once what it installs is there."""
    command = [ROOT / "scripts" / script, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Driver:
    """A client's process. Each call names its own server and key, so one process serves every test."""

    def __init__(self, client, contract, faults):
        self.client = client
        self.contract = contract
        self.faults = faults
        self.process = subprocess.Popen(
            client.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def at(self, base_url, key):
        """The SDK with `key`, against `base_url`."""
        return Sdk(self, base_url, key)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        line = self.process.stdout.readline()
        assert line, f"{self.client} ended with {self.process.wait()}"
        reply = Reply(exact(line))
        for exchange, answer in zip(reply.exchanges, reply.answers):
            self.faults.extend(self.contract.answer_faults(exchange["method"], exchange["path"], answer))
        return reply

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@dataclass(frozen=True)
class Sdk:
    """One client, at one server, with one key."""

    driver: Driver
    base_url: str
    key: str

    def call(self, call, requests=1, **given):
        """What the SDK made of `call`, which must have been one request: no SDK may try again by itself here.

        One that reads a list to its end makes one for each page.
        """
        if call == "keys.list" and self.driver.client.query_is_text:
            given = {name: json.dumps(value) for name, value in given.items()}
        question = {"call": call, "base_url": self.base_url, "key": self.key, "arguments": given}
        reply = self.driver.ask(question)
        assert len(reply.exchanges) == requests, reply.said
        return reply

    def read(self, call, requests=1, **given):
        """The answer to `call`, which must succeed and be the same to the SDK as on the wire."""
        reply = self.call(call, requests, **given)
        assert "value" in reply.said, reply.said["error"]
        assert differences(reply.value, reply.sent) == []
        if self.driver.client.is_ours:
            assert [line for line in differences(reply.sent, reply.value) if not is_said(call, line)] == []
        return reply


class Reply:
    """What an SDK made of one call, and the answer it made that of."""

    def __init__(self, said):
        self.said = said
        self.exchanges = said["exchanges"]
        self.answers = [
            Answer(exchange["status"], httpx.Headers({"content-type": exchange["media_type"]}), exchange["text"])
            for exchange in self.exchanges
        ]

    @property
    def value(self):
        return self.said["value"]

    @property
    def error(self):
        return self.said["error"]

    @property
    def wire(self):
        [answer] = self.answers
        return answer

    @property
    def sent(self):
        """What the wire had for `value`: the body, or where that is many things to the SDK, a list of them."""
        if not isinstance(self.value, list):
            return self.wire.json
        if media_type(self.answers[0].headers) == "text/event-stream":
            return [event for event in self.wire.events if event != "[DONE]"]
        return [item for page in self.answers for item in page.json["data"]]


def assert_refused(client, sdk, call, status, message, **given):
    """`call` is answered with `status`, and the SDK raises what its generation has for that, `message` in it."""
    if any(argument in client.unsayable for argument in given.items()):
        assert sdk.call(call, requests=0, **given).error["kind"] == "unsayable"
        return
    reply = sdk.call(call, **given)
    assert "error" in reply.said, reply.said["value"]
    assert reply.wire.status == status
    assert message in reply.wire.json["error"]["message"]
    assert (reply.error["kind"], reply.error["status"]) == (client.raises(call, status), status)
    assert message in reply.error["message"]
    if client.is_ours:
        sent = reply.wire.json["error"]
        told = (sent["code"], sent.get("metadata", {}).get("error_type"))
        assert (reply.error["code"], reply.error["error_type"]) == told


def differences(seen, sent, path="$"):
    """Where what an SDK saw is not what was sent, a line each. What it does not know it may drop, but not invent."""
    if isinstance(seen, dict) and isinstance(sent, dict):
        lines = []
        for member, value in seen.items():
            # Members that were not sent are None to some SDKs, and false where that is the default.
            if member in sent or (value is not None and value is not False):
                lines += differences(value, sent.get(member, "nothing"), f"{path}.{member}")
        return lines
    if isinstance(seen, list) and isinstance(sent, list) and len(seen) == len(sent):
        pairs = enumerate(zip(seen, sent))
        return [line for index, pair in pairs for line in differences(*pair, f"{path}[{index}]")]
    is_same = seen == sent and isinstance(seen, bool) == isinstance(sent, bool)
    if is_same or same_moment(seen, sent):
        return []
    return [f"{path}: {seen!r} was sent as {sent!r}"]


# What our SDK says in another place: what kind of thing an answer is by its type, a key's text only beside the key, and
# what holds for all budgets with the list of them.
SAID = {
    "keys.create": ("$.data.key",),
    "budgets.set": ("$.include_byok_in_budgets",),
    "budgets.get": ("$.include_byok_in_budgets",),
}


def is_said(call, line):
    """Whether the member that `line` misses is one of those in the answer to `call`."""
    path, problem = line.split(": ", 1)
    is_named = path in SAID.get(call, ()) or path.rsplit(".", 1)[-1] == "object"
    return is_named and problem.endswith("was sent as 'nothing'")


def same_moment(seen, sent):
    """Whether both are times, and the same one: SDKs write the time they read in a form of their own."""
    try:
        return datetime.fromisoformat(seen) == datetime.fromisoformat(sent)
    except (TypeError, ValueError):
        return False


# What each one drops and raises is what its published types say; a test holds it to that.
FIRST_KEY = ("creator_user_id", "external_user", "last_used_at", "workspace_id")
AFTER_CURRENT = (
    "allowed_data_regions",
    "budgets",
    "effective_budget",
    "free_model_daily_requests",
    "organization_id",
    "workspace_id",
)
FIRST_CURRENT = (*AFTER_CURRENT, "creator_user_id", "is_management_key")
# What is answered with 403 though the yaml does not say so.
WITHOUT_403 = (
    *("byok.list", "byok.get", "byok.delete"),
    *("workspaces.list", "workspaces.get", "organization.members"),
    *("budgets.list", "budgets.get", "budgets.set", "budgets.delete"),
)
FIRST_ERRORS = {
    ("keys.create", 403): "OpenRouterDefaultError",
    ("chat", 400): "ChatError",
    ("chat", 401): "ChatError",
    ("chat", 402): "OpenRouterDefaultError",
    ("chat", 403): "OpenRouterDefaultError",
}
OPENROUTER = (
    Client("openrouter-python-1.3.84", python("openrouter", None), is_asked_all=True, is_asked_byok=True),
    Client(
        "openrouter-typescript-1.3.19",
        node("openrouter-1.3.19"),
        key_unread=("last_used_at",),
        current_unread=("budgets", "effective_budget"),
        byok_unread=("declared_region",),
        errors={(call, 403): "OpenRouterDefaultError" for call in WITHOUT_403},
        is_asked_all=True,
        is_asked_byok=True,
    ),
    Client(
        "go-with-the-types-of-0.7.67",
        go,
        key_unread=("external_user", "last_used_at"),
        current_unread=AFTER_CURRENT,
        byok_unread=("declared_region", "declared_zdr", "is_byok_only", "is_required"),
        errors={(call, 403): "APIError" for call in WITHOUT_403},
        is_asked_byok=True,
    ),
    Client(
        "tollgate-rust",
        rust,
        is_asked_all=True,
        is_asked_byok=True,
        is_ours=True,
        unsayable=(("context", -1), ("date", "18.11.2026")),
    ),
    Client(
        "openrouter-python-0.11.46",
        python("openrouter", "requirements-0.11.46.txt"),
        key_unread=("external_user", "last_used_at"),
        current_unread=AFTER_CURRENT,
        is_newest=False,
    ),
    Client(
        "openrouter-typescript-0.1.27",
        node("openrouter-0.1.27"),
        key_unread=FIRST_KEY,
        current_unread=FIRST_CURRENT,
        errors=FIRST_ERRORS,
        query_is_text=True,
        is_newest=False,
    ),
    Client(
        "openrouter-python-0.0.22",
        python("openrouter", "requirements-0.0.22.txt"),
        key_unread=FIRST_KEY,
        current_unread=FIRST_CURRENT,
        errors=FIRST_ERRORS,
        query_is_text=True,
        is_newest=False,
    ),
)

OPENAI_ERRORS = {
    ("chat", 400): "BadRequestError",
    ("chat", 401): "AuthenticationError",
    ("chat", 403): "PermissionDeniedError",
    ("model", 404): "NotFoundError",
}
OPENAI = (
    Client("openai-python-3.54.0", python("openai", None), errors=OPENAI_ERRORS | {("chat", 402): "APIStatusError"}),
    # 7.0 and later want a newer Node than the oldest that is supported.
    Client("openai-node-6.49.0", node("openai"), errors=OPENAI_ERRORS | {("chat", 402): "APIError"}),
)
