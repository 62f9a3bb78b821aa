"""Holds every answer of the gateway against docs/openapi.json, whichever SDK asked.

`Wire` is an httpx transport that sits under the unmodified SDKs: it keeps what was said, to be read as exact decimals,
and notes what the contract does not allow.
"""

import functools
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"

# What any error is, whatever its status: SDKs raise their typed errors only where `code` is there and an integer.
ENVELOPE = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "integer"}, "message": {"type": "string", "minLength": 1}},
        }
    },
}


def exact(text):
    """The JSON `text` as Python values, its numbers exact: integers, and decimals where there is a fraction."""
    return json.loads(text, parse_float=Decimal)


def media_type(headers):
    """The content type without its parameters, or nothing."""
    return headers.get("content-type", "").split(";")[0].strip()


class Contract:
    """The OpenAPI document, as questions about one answer."""

    def __init__(self, document=DOCUMENT):
        self.document = json.loads(document.read_text())
        # A model by itself, as OpenAI's clients ask for it; theirs write the id's slash as `%2F`, people leave it.
        schema = {"$ref": "#/components/schemas/Model"}
        one_model = {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}
        self.document["paths"] |= dict.fromkeys(("/models/{id}", "/models/{author}/{slug}"), one_model)
        resource = Resource(contents=self.document, specification=DRAFT202012)
        self.registry = Registry().with_resource("urn:contract", resource)
        self.templates = []
        # A literal segment wins over a variable one, so the templates with fewer variables are tried first.
        for template in sorted(self.document["paths"], key=lambda path: path.count("{")):
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            self.templates.append((re.compile(pattern + "/?"), template))

    def template(self, url_path):
        """The path template that `url_path` falls under, or None where the contract has none for it."""
        path = re.sub(r"^(/api)?/v1", "", url_path, count=1)
        if path == "/auth/key":  # the old name of GET /key, which the document leaves out
            path = "/key"
        return next((template for pattern, template in self.templates if pattern.fullmatch(path)), None)

    def answer_faults(self, method, url_path, answer):
        """What is wrong with `answer`, a line each. Streams are judged event by event, paths outside the API not at all."""
        if not url_path.startswith(("/api/v1/", "/v1/")):
            return []
        call = f"{method} {url_path} {answer.status}"
        kind = media_type(answer.headers)
        try:
            if kind == "text/event-stream":
                bodies = [{"data": event} for event in answer.events if event != "[DONE]"]
            else:
                bodies = [answer.json]
        except ValueError as error:
            return [f"{call}: not JSON: {error}: {answer.text[:200]}"]
        return [f"{call}: {fault}" for body in bodies for fault in self.faults(method, url_path, answer.status, kind, body)]

    def faults(self, method, url_path, status, kind, body):
        """What is wrong with `body`, a sentence each; its media type, `kind`, says which schema it is held to."""
        template = self.template(url_path)
        operation = self.document["paths"].get(template, {}).get(method.lower(), {})
        declared = operation.get("responses", {}).get(str(status))
        if declared is not None and kind not in declared["content"]:
            return [f"{kind} is none of {sorted(declared['content'])}"]
        if declared is not None:
            steps = ["paths", template, method.lower(), "responses", str(status), "content", kind, "schema"]
            pointer = "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
            schema = {"$ref": f"urn:contract#/{pointer}"}
        elif status >= 400:
            schema = ENVELOPE
        else:
            return ["neither a status the contract has for this call nor an error"]
        validator = Draft202012Validator(schema, registry=self.registry, format_checker=FormatChecker())
        faults = [f"{error.json_path}: {error.message}"[:500] for error in validator.iter_errors(body)]
        if status >= 400 and not faults and body["error"]["code"] != status:
            faults.append(f"error.code is {body['error']['code']}")
        return faults


@dataclass(frozen=True)
class Answer:
    """One answer as it crossed the wire: `json` is its body, or None; `events` are the events of a stream."""

    status: int
    headers: httpx.Headers
    text: str

    @property
    def json(self):
        return exact(self.text)

    @property
    def events(self):
        """The payloads of a stream in order, `[DONE]` included, comments left out."""
        blocks = self.text.replace("\r\n", "\n").split("\n\n")
        lines = ([line[5:].strip() for line in block.split("\n") if line.startswith("data:")] for block in blocks)
        payloads = ("\n".join(block) for block in lines)
        return [payload if payload == "[DONE]" else exact(payload) for payload in payloads if payload]


class Wire(httpx.BaseTransport):
    """Sends requests, keeps the answers and notes in `faults` what the contract does not allow.

    Faults are noted, not raised: an SDK may take an exception of its transport for a lost connection and try again.
    """

    def __init__(self, contract, faults):
        self.contract = contract
        self.faults = faults
        self.answers = []
        self.inner = httpx.HTTPTransport()

    @property
    def last(self):
        """The newest answer that has come to its end."""
        return self.answers[-1]

    def handle_request(self, request):
        response = self.inner.handle_request(request)
        if media_type(response.headers) == "text/event-stream":
            response.stream = Recorded(response.stream, functools.partial(self.record, request, response))
            return response
        self.record(request, response, response.read())
        return response

    def record(self, request, response, content):
        """Keeps the answer `content` and holds it against the contract."""
        answer = Answer(response.status_code, response.headers, content.decode())
        self.answers.append(answer)
        self.faults.extend(self.contract.answer_faults(request.method, request.url.path, answer))

    def close(self):
        self.inner.close()


class Recorded(httpx.SyncByteStream):
    """A stream that passes its bytes on as they come and hands over all of them when it ends or is closed."""

    def __init__(self, inner, done):
        self.inner = inner
        self.done = done
        self.content = b""

    def __iter__(self):
        for part in self.inner:
            self.content += part
            yield part

    def close(self):
        self.inner.close()
        done, self.done = self.done, lambda content: None
        done(self.content)
