"""The operations of docs/openapi.json: which of them a gateway serves, who may call them, and cases of them to send.

Cases are generated from the document, steered: where it says no more than that a name is text, one that exists is tried
as often as any text, since a request that is refused at its first word shows little.
"""

import copy
from dataclasses import dataclass, field

import schemathesis
from schemathesis import GenerationMode

MODELS = ("fake/plain", "fake/dear")
EMBEDDING_MODEL = "fake/embed"
# A provider that serves no model: whatever credentials it is given, no chat goes with them.
SPARE_PROVIDER = "spare"

# Who may call what (the rest is for management keys): anyone; either kind of key; an inference key.
PUBLIC = {
    "GET /models",
    "GET /models/count",
    "GET /models/{id}",
    "GET /models/{author}/{slug}",
    "GET /model/{author}/{slug}",
    "GET /models/{author}/{slug}/endpoints",
    "GET /providers",
    "GET /endpoints/zdr",
    "GET /embeddings/models",
    "POST /auth/keys",
}
EITHER = {"GET /key", "GET /generation", "GET /generation/content", "GET /models/user"}
INFERENCE = {"POST /chat/completions", "POST /embeddings"}

# What a chat may say without a change of its price; of what else the document has, the gateway refuses most.
CHAT_FIELDS = (
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "metadata",
    "min_p",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "repetition_penalty",
    "response_format",
    "seed",
    "session_id",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "top_a",
    "top_k",
    "top_p",
    "trace",
    "user",
)


@dataclass(frozen=True)
class Caller:
    """One who calls: `key` is a key's text, or None."""

    kind: str
    key: str | None = field(repr=False)

    @property
    def headers(self):
        return {} if self.key is None else {"authorization": f"Bearer {self.key}"}

    def refused(self, label):
        """The status that this caller gets for the operation `label` whatever it sends, or None where it may call it."""
        if label in PUBLIC:
            return None
        if self.key is None:
            return 401
        allowed = {"management": label not in INFERENCE, "inference": label in INFERENCE or label in EITHER}
        return None if allowed[self.kind] else 403


def steered(document, known):
    """`document` with the values in `known`, by the parameter's name, tried as often as any other."""
    document = copy.deepcopy(document)
    for methods in document["paths"].values():
        for operation in methods.values():
            # Headers are read where they are known and never refused (attribution stands in them).
            parameters = [it for it in operation.get("parameters", []) if it["in"] != "header"]
            for parameter in parameters:
                if parameter["name"] in known:
                    parameter["schema"] = {"anyOf": [{"enum": known[parameter["name"]]}, parameter["schema"]]}
            operation["parameters"] = parameters
    body = document["paths"]["/chat/completions"]["post"]["requestBody"]["content"]["application/json"]
    body["schema"] = {"anyOf": [plain_chat(document["components"]["schemas"]["ChatRequest"]), body["schema"]]}
    body = document["paths"]["/embeddings"]["post"]["requestBody"]["content"]["application/json"]
    served = copy.deepcopy(body["schema"])
    served["properties"]["model"] = {"enum": [EMBEDDING_MODEL]}
    body["schema"] = {"anyOf": [served, body["schema"]]}
    body = document["paths"]["/byok"]["post"]["requestBody"]["content"]["application/json"]
    taken = copy.deepcopy(document["components"]["schemas"]["CreateBYOKKeyRequest"])
    taken["properties"] |= {"provider": {"enum": [SPARE_PROVIDER]}, "key": {"type": "string", "pattern": "^[!-z]{1,99}$"}}
    body["schema"] = {"anyOf": [taken, body["schema"]]}
    return document


def plain_chat(request):
    """The schema of a chat that is served: text, for a model that is there, at the price that is listed."""
    text = {"role": {"enum": ["system", "user", "assistant"]}, "content": {"type": "string"}}
    message = {"type": "object", "properties": text, "required": list(text), "additionalProperties": False}
    maximum = {"type": ["integer", "null"], "minimum": 1, "maximum": 1024}
    properties = {name: request["properties"][name] for name in CHAT_FIELDS} | {
        "model": {"enum": list(MODELS)},
        "messages": {"type": "array", "minItems": 1, "items": message},
        "max_tokens": maximum,
        "max_completion_tokens": maximum,
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["model", "messages"],
        "additionalProperties": False,
    }


def load(document):
    """The operations of `document` by label, such as `GET /keys`, to generate cases of."""
    # Who calls is the suite's to say, and a name that the document lacks is ignored in a query.
    generation = {"with-security-parameters": False, "allow-extra-parameters": False}
    config = schemathesis.Config.from_dict({"generation": generation})
    schema = schemathesis.openapi.from_dict(document, config=config)
    return {operation.label: operation for operation in (it.ok() for it in schema.get_all_operations())}


def boundaries(operation):
    """The cases that schemathesis lists of `operation`: each value at, just inside and just outside of its bounds."""
    schema = operation.schema
    generation = schema.config.generation_for(operation=operation, phase="coverage")
    return schema.iter_coverage_cases(operation, generation_modes=list(GenerationMode), generation_config=generation)
