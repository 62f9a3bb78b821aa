"""llama-server with SmolLM2-135M on loopback: a real provider, with a tokenizer, a template and a cache of its own."""

import subprocess
import time

import httpx

from fake_provider import CREDENTIAL
from gateway import ROOT, free_port

READY_SECONDS = 60


class ModelServer:
    """The server, ready to be asked. It has one slot, so what it has cached is the prompt of the call before."""

    def __init__(self, folder):
        made = subprocess.run([ROOT / "scripts/model-server"], check=True, stdout=subprocess.PIPE, text=True)
        program, weights = made.stdout.split()
        port = free_port()
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.log = folder / "llama-server.log"
        arguments = ["--model", weights, "--alias", "smollm2", "--host", "127.0.0.1", "--port", str(port)]
        arguments += ["--ctx-size", "2048", "--threads", "2", "--parallel", "1", "--api-key", CREDENTIAL]
        # Without a store of older prompts: what is cached then follows from the call before alone.
        arguments += ["--cache-ram", "0", "--offline", "--no-ui"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.client = httpx.Client(headers={"authorization": f"Bearer {CREDENTIAL}"}, timeout=120)
        try:
            self.wait_until_ready(f"http://127.0.0.1:{port}/health")
        except BaseException:
            self.close()
            raise

    def wait_until_ready(self, address):
        last = time.monotonic() + READY_SECONDS
        while time.monotonic() < last:
            try:
                if self.client.get(address).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-4000:]
            time.sleep(0.05)
        raise AssertionError(f"llama-server was not ready within {READY_SECONDS} s")

    def usage(self, messages, **settings):
        """What the server itself, asked without a gateway, says that `messages` used: prompt, cached, completion."""
        body = {"model": "smollm2", "messages": messages} | settings
        answer = self.client.post(f"{self.base_url}/chat/completions", json=body).raise_for_status()
        return tokens(answer.json()["usage"])

    def close(self):
        self.client.close()
        self.process.terminate()
        self.process.wait()


def tokens(usage):
    """Prompt, cached and completion tokens of a `usage` object."""
    return usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"], usage["completion_tokens"]
