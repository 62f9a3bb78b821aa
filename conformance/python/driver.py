"""One official SDK in Python, unmodified, doing what clients.py asks of it: a call a line on standard input, a reply each.

Usage: python driver.py PACKAGE, openrouter or openai. It runs in each generation's own environment, so it uses nothing
of the suite and nothing that one generation lacks.
"""

import functools
import importlib
import json
import sys
from datetime import datetime

import httpx


class Recorder(httpx.BaseTransport):
    """Keeps the raw bytes of every answer, a stream's as well, as they come."""

    def __init__(self):
        self.inner = httpx.HTTPTransport()
        self.exchanges = []

    def handle_request(self, request):
        response = self.inner.handle_request(request)
        response.stream = Copied(response.stream)
        self.exchanges.append((request, response, response.stream))
        return response

    def texts(self):
        return [
            {
                "method": request.method,
                "path": request.url.path,
                "status": response.status_code,
                "media_type": response.headers.get("content-type", ""),
                "text": stream.content.decode(),
            }
            for request, response, stream in self.exchanges
        ]


class Copied(httpx.SyncByteStream):
    """A stream that keeps what it passes on."""

    def __init__(self, inner):
        self.inner = inner
        self.content = b""

    def __iter__(self):
        for part in self.inner:
            self.content += part
            yield part

    def close(self):
        self.inner.close()


def openrouter(base_url, key, client):
    sdk = importlib.import_module("openrouter").OpenRouter(
        api_key=key, server_url=base_url, client=client, retry_config=None
    )
    calls = {
        "keys.create": functools.partial(with_moments, sdk.api_keys.create),
        "keys.get": sdk.api_keys.get,
        "keys.list": sdk.api_keys.list,
        "keys.update": sdk.api_keys.update,
        "keys.delete": sdk.api_keys.delete,
        "key": sdk.api_keys.get_current_key_metadata,
        "chat": sdk.chat.send,
    }
    # Looked up when they are made: not every generation has them.
    newest_calls = {
        "credits": lambda **given: sdk.credits.get_credits(**given),
        "activity": lambda **given: sdk.analytics.get_user_activity(request=given),
        "generation": lambda **given: sdk.generations.get_generation(**given),
        "models": lambda **given: sdk.models.list(**given),
        "models.count": lambda **given: sdk.models.count(**given),
        "models.get": lambda **given: sdk.models.get(**given),
        "models.user": lambda **given: sdk.models.list_for_user(security={"bearer": key}, **given),
        "providers": lambda **given: sdk.providers.list(**given),
        "endpoints": lambda **given: sdk.endpoints.list(**given),
        "endpoints.zdr": lambda **given: sdk.endpoints.list_zdr_endpoints(**given),
        "embeddings": lambda **given: sdk.embeddings.generate(**given),
        "embeddings.models": lambda **given: sdk.embeddings.list_models(**given),
        "byok.create": lambda **given: sdk.byok.create(**given),
        "byok.list": lambda **given: sdk.byok.list(**given),
        "byok.get": lambda **given: sdk.byok.get(**given),
        "byok.update": lambda **given: sdk.byok.update(**given),
        "byok.delete": lambda **given: sdk.byok.delete(**given),
        "workspaces.create": lambda **given: sdk.workspaces.create(**given),
        "workspaces.list": lambda **given: sdk.workspaces.list(**given),
        "workspaces.get": lambda **given: sdk.workspaces.get(**given),
        "workspaces.update": lambda **given: sdk.workspaces.update(**given),
        "workspaces.delete": lambda **given: sdk.workspaces.delete(**given),
        "budgets.list": lambda **given: sdk.workspaces.list_budgets(**given),
        "budgets.get": lambda **given: sdk.workspaces.get_budget(**given),
        "budgets.set": lambda **given: sdk.workspaces.set_budget(**given),
        "budgets.delete": lambda **given: sdk.workspaces.delete_budget(**given),
        "members.list": lambda **given: sdk.workspaces.list_members(**given),
        "members.add": lambda **given: sdk.workspaces.bulk_add_members(**given),
        "members.remove": lambda **given: sdk.workspaces.bulk_remove_members(**given),
        "organization.members": lambda **given: sdk.organization.list_members(**given),
    }
    return calls | newest_calls


def openai(base_url, key, client):
    sdk = importlib.import_module("openai").OpenAI(api_key=key, base_url=base_url, http_client=client, max_retries=0)
    return {
        "chat": sdk.chat.completions.create,
        "embeddings": sdk.embeddings.create,
        "models": sdk.models.list,
        "model": sdk.models.retrieve,
    }


def with_moments(create, expires_at=None, **settings):
    """`create`, given the time as what its type asks for."""
    if expires_at is not None:
        settings["expires_at"] = datetime.fromisoformat(expires_at)
    return create(**settings)


def plain(value):
    """What the SDK made of an answer, as JSON values under the wire's names; a stream or a page as its items."""
    if hasattr(value, "__next__") or hasattr(value, "iter_pages"):
        return [plain(item) for item in value]
    if callable(getattr(value, "next", None)):
        return [plain(item) for item in items_of_pages(value)]
    return value.model_dump(mode="json", by_alias=True)


def items_of_pages(page):
    while page is not None:
        yield from page.result.data
        page = page.next()


def outcome(calls, call, given):
    try:
        return {"value": plain(calls[call](**given))}
    except Exception as error:
        return {
            "error": {
                "kind": type(error).__name__,
                "status": getattr(error, "status_code", None),
                "message": getattr(error, "message", str(error)),
            }
        }


def reply(make, asked):
    recorder = Recorder()
    with httpx.Client(transport=recorder, timeout=60) as client:
        result = outcome(make(asked["base_url"], asked["key"], client), asked["call"], asked["arguments"])
    return result | {"exchanges": recorder.texts()}


if __name__ == "__main__":
    make = {"openrouter": openrouter, "openai": openai}[sys.argv[1]]
    for line in sys.stdin:
        print(json.dumps(reply(make, json.loads(line))), flush=True)
