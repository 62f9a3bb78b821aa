"""One running tollgate: its configuration, its process, its clock, and SDK clients that talk to it.

The process runs under libfaketime, so that a test moves the gateway's clock instead of waiting for midnight, and in a
time zone thirteen hours from UTC, which must not show in any answer.
"""

import glob
import json
import os
import signal
import socket
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
from openai import OpenAI
from openrouter import OpenRouter

from contract import Wire
from fake_provider import CREDENTIAL

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TOLLGATE_BIN", ROOT / "target/release/tollgate"))
MANAGEMENT_KEY = "sk-or-v1-" + "5e" * 32
MASTER_KEY = "5a" * 32
READY_SECONDS = 30
STOP_SECONDS = 30

# A Wednesday noon in the middle of a month: no window ends unless a test moves the clock there.
NOON = datetime(2026, 11, 18, 12, tzinfo=timezone.utc)


class Clock:
    """The gateway's clock. It runs on from wherever it was last set; the file is read at every look at the time."""

    def __init__(self, path):
        self.path = path
        self.offset = timedelta()
        self.set(NOON)

    def set(self, instant):
        self.offset = instant - datetime.now(timezone.utc)
        # Replaced, not rewritten: the gateway must never read half an offset.
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{self.offset.total_seconds():+.6f}")
        fresh.replace(self.path)

    def now(self):
        return datetime.now(timezone.utc) + self.offset


class Gateway:
    """A tollgate of its own, in `folder`, ready to be asked; `faults` collects what breaks the contract."""

    def __init__(self, folder, providers, models, contract, faults):
        self.folder = folder
        self.contract = contract
        self.faults = faults
        self.clients = []
        self.ended = False
        self.clock = Clock(folder / "clock")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "tollgate.toml"
        self.config.write_text(configuration(self.port, providers, models))
        self.environment = environment(self.clock)
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", self.config],
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.wait_until_ready()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def wait_until_ready(self):
        last = time.monotonic() + READY_SECONDS
        while time.monotonic() < last:
            if self.process.poll() is not None:
                raise AssertionError(f"tollgate ended with {self.process.returncode}:\n{self.log_tail()}")
            try:
                if httpx.get(self.url + "/ready", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"tollgate was not ready within {READY_SECONDS} s:\n{self.log_tail()}")

    def log_tail(self):
        return self.log.read_text(errors="replace")[-4000:]

    def end(self):
        """Has the book audited beside the running process, asks that to stop, and fails where either went wrong."""
        if self.ended:
            return
        self.ended = True
        for client in self.clients:
            client.close()
        command = [BINARY, "audit", "--config", self.config]
        audit = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert audit.returncode == 0, audit.stdout + audit.stderr
        assert self.process.returncode == 0, self.log_tail()

    def http(self, key=None):
        """A plain HTTP client for what an SDK can't be made to send, and the wire it is on."""
        wire = Wire(self.contract, self.faults)
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        client = httpx.Client(transport=wire, base_url=self.url, headers=headers, timeout=60)
        self.clients.append(client)
        return client, wire

    def openrouter(self, key):
        """The official SDK, unmodified, with `key`, and the wire it is on. It makes no second try of its own."""
        client, wire = self.http()
        return OpenRouter(api_key=key, server_url=f"{self.url}/api/v1", client=client, retry_config=None), wire

    def openai(self, key):
        """The OpenAI SDK, unmodified, with `key`, and the wire it is on."""
        client, wire = self.http()
        return OpenAI(api_key=key, base_url=f"{self.url}/v1", http_client=client, max_retries=0), wire


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(clock):
    """The gateway's environment: nothing of ours but what it needs and what moves its clock."""
    library = next(iter(sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))), None)
    assert library is not None, "libfaketime is missing: run scripts/system-packages"
    return {
        "PATH": os.environ["PATH"],
        "TOLLGATE_MANAGEMENT_KEY": MANAGEMENT_KEY,
        "TOLLGATE_MASTER_KEY": MASTER_KEY,
        "FAKE_PROVIDER_KEY": CREDENTIAL,
        "RUST_BACKTRACE": "1",
        "TZ": "XST-13",
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(clock.path),
        "FAKETIME_NO_CACHE": "1",
        # Time-outs run on the monotonic clock and must not fire because the calendar moved.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def configuration(port, providers, models):
    """The configuration file: `providers` as slug to base URL, or to that and more; `models` as TOML, one table a model."""
    parts = [f'[server]\nlisten = "127.0.0.1:{port}"\n', '[store]\nurl = "sqlite:tollgate.db"\n']
    for slug, settings in providers.items():
        settings = settings if isinstance(settings, dict) else {"base_url": settings}
        settings = {"slug": slug, "name": slug.capitalize(), "api": "openai", "api_key": "${FAKE_PROVIDER_KEY}"} | settings
        # Texts and lists of them are written alike in TOML and JSON.
        parts.append("[[providers]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return "\n".join([*parts, *models])


def model(name, provider, upstream_model, context_length, max_completion_tokens, **pricing):
    """One model with one endpoint, as TOML; prices are decimal text, US dollars a token."""
    return (
        f'[[models]]\nid = "{name}"\nname = "{name}"\ncontext_length = {context_length}\n\n'
        f'[[models.endpoints]]\nprovider = "{provider}"\nupstream_model = "{upstream_model}"\n'
        f"max_completion_tokens = {max_completion_tokens}\npricing = {prices(pricing)}\n"
    )


def embedding_model(name, provider, upstream_model, context_length, **pricing):
    """The same of a model that gives embeddings."""
    return (
        f'[[models]]\nid = "{name}"\nname = "{name}"\noutput_modalities = ["embeddings"]\n'
        f"context_length = {context_length}\n\n"
        f'[[models.endpoints]]\nprovider = "{provider}"\nupstream_model = "{upstream_model}"\n'
        f"pricing = {prices(pricing)}\n"
    )


def prices(pricing):
    """Prices as a table of TOML."""
    return "{ " + ", ".join(f'{part} = "{price}"' for part, price in pricing.items()) + " }"
