"""The call that most tests make, what it costs by hand, and a key's figures after it."""

from datetime import datetime
from decimal import Decimal

from fake_provider import Script
from gateway import NOON

HELLO = [{"role": "user", "content": "Say the rule."}]

# `fake/plain` costs 37.5 nano-dollars a prompt token, 9.25 a cached one and 150.1 a completion token. The default
# script is 21 prompt tokens, 8 of them cached, and 7 completion tokens:
# 13 x 37.5 + 8 x 9.25 + 7 x 150.1 = 487.5 + 74 + 1050.7 = 1612.2, rounded up once.
COST = Decimal("0.000001613")
# `fake/embed` costs 37.5 nano-dollars a prompt token: 21 x 37.5 = 787.5, rounded up.
EMBEDDING_COST = Decimal("0.000000788")
# 3 x 37.5 + 150.1 = 262.6, rounded up.
SHORT = Script(words=("Hold.",), prompt_tokens=3, cached_tokens=0, completion_tokens=1)
SHORT_COST = Decimal("0.000000263")

WINDOWS = ("usage", "usage_daily", "usage_weekly", "usage_monthly")


def dear(tokens):
    """A script that costs `tokens` times ten cents on `fake/dear`."""
    return Script(completion_tokens=tokens)


def ask(sdk, model="fake/plain", **settings):
    return sdk.chat.send(model=model, messages=HELLO, **settings)


def spent(key, amount):
    """What `GetKeyData` of the unused, unlimited `key` becomes by spending `amount` at one moment."""
    return key.data | dict.fromkeys(WINDOWS, amount)


def figures(manage, key):
    """`GetKeyData` of `key` with the one field left out that may lag."""
    return lasting(manage.data(key))


def lasting(data):
    """`data` of a key with the one field left out that may lag: the time of its last use."""
    moment = data["last_used_at"]
    assert moment is None or datetime.fromisoformat(moment).date() == NOON.date()
    return data | {"last_used_at": None}
