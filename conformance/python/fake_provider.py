"""A model provider that says what it is told to, so that every figure can be worked out by hand.

It speaks the OpenAI format on loopback, chats, plain and streamed, and embeddings; takes only its own credential, and keeps
what it was sent: what a gateway passes on is as much a part of its contract as what it answers.
"""

import base64
import json
import struct
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CREDENTIAL = "provider-credential-7d1f"
# Every embedding, in numbers that are exact as such.
EMBEDDING = [0.5, -0.25, 1.0]


@dataclass(frozen=True)
class Script:
    """What the provider answers until it is told otherwise; times in seconds, tokens as its usage reports them."""

    words: tuple = ("Hold", " first,", " settle", " after.")
    prompt_tokens: int = 21
    cached_tokens: int = 8
    completion_tokens: int = 7
    delay: float = 0.0
    status: int = 200

    @property
    def text(self):
        return "".join(self.words)

    @property
    def usage(self):
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }


class FakeProvider:
    """The provider, listening from the moment it is made. `requests` are the bodies it was sent, oldest first."""

    def __init__(self):
        self.script = Script()
        self.requests = []
        self.headers = []
        self.lock = threading.Lock()
        self.in_flight = 0
        self.in_flight_max = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def reset(self):
        """Forgets what it was sent and told."""
        self.script = Script()
        self.requests = []
        self.headers = []
        self.in_flight_max = 0

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                script = provider.script
                with provider.lock:
                    provider.requests.append(body)
                    provider.headers.append({name.lower(): value for name, value in self.headers.items()})
                    number = len(provider.requests)
                    provider.in_flight += 1
                    provider.in_flight_max = max(provider.in_flight_max, provider.in_flight)
                if script.delay:
                    time.sleep(script.delay)
                # Counted out before the answer: once the gateway has it, the next request may be here at once.
                with provider.lock:
                    provider.in_flight -= 1
                if self.headers["authorization"] != f"Bearer {CREDENTIAL}":
                    self.answer(401, {"error": {"message": "no such credential", "type": "authentication_error"}})
                elif self.path == "/v1/embeddings" and script.status == 200:
                    self.answer(200, embeddings(body, script))
                elif self.path not in ("/v1/chat/completions", "/v1/embeddings"):
                    self.answer(404, {"error": {"message": f"no {self.path} here", "type": "not_found"}})
                elif script.status != 200:
                    self.answer(script.status, {"error": {"message": "told to fail", "type": "server_error"}})
                elif body.get("stream"):
                    self.stream(body, script, number)
                else:
                    choice = {
                        "index": 0,
                        "message": {"role": "assistant", "content": script.text},
                        "finish_reason": "stop",
                    }
                    self.answer(200, head(body, number, "chat.completion") | {"choices": [choice], "usage": script.usage})

            def answer(self, status, body):
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def stream(self, body, script, number):
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                first = head(body, number, "chat.completion.chunk")
                for word in script.words:
                    delta = {"role": "assistant", "content": word}
                    self.event(first | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
                self.event(first | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                # As such providers do: usage in a stream comes only to those who ask for it.
                if (body.get("stream_options") or {}).get("include_usage"):
                    self.event(first | {"choices": [], "usage": script.usage})
                self.chunk(b"data: [DONE]\n\n")
                self.wfile.write(b"0\r\n\r\n")

            def event(self, payload):
                self.chunk(b"data: " + json.dumps(payload).encode() + b"\n\n")

            def chunk(self, content):
                self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")

            def log_message(self, *args):
                """Says nothing: pytest shows what a failure needs."""

        return Handler


def embeddings(body, script):
    """The embedding of each input, in the format asked for."""
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    count = 1 if all(isinstance(it, (int, float)) for it in inputs) else len(inputs)
    packed = base64.b64encode(struct.pack(f"<{len(EMBEDDING)}f", *EMBEDDING)).decode()
    embedding = packed if body.get("encoding_format") == "base64" else EMBEDDING
    data = [{"object": "embedding", "index": index, "embedding": embedding} for index in range(count)]
    usage = {"prompt_tokens": script.prompt_tokens, "total_tokens": script.prompt_tokens}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}


def head(body, number, kind):
    """The members that every answer and every chunk begins with."""
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 1_760_000_000, "model": body["model"]}
