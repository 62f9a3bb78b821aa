"""What was spent and what there is, as the official SDK reads it: credits, activity, generations, models, endpoints."""

from datetime import timedelta
from functools import partial

import pytest
from openrouter import errors
from openrouter.operations import ListModelsUserSecurity

from calls import COST, ask
from gateway import MANAGEMENT_KEY, NOON


def test_a_generation_is_read_whole_by_its_key_and_by_management(gateway, provider, manage):
    key = manage.create()
    sdk, wire = gateway.openrouter(key.text)
    answer = ask(sdk)
    for reader, seen in [(sdk, wire), (manage.sdk, manage.wire)]:
        data = reader.generations.get_generation(id=answer.id).data
        assert (data.id, data.streamed, data.cancelled) == (answer.id, False, False)
        assert (data.finish_reason, data.native_finish_reason) == ("stop", "stop")
        assert (data.native_tokens_prompt, data.native_tokens_completion, data.native_tokens_cached) == (21, 7, 8)
        assert seen.last.json["data"]["total_cost"] == COST
        [response] = data.provider_responses
        assert (response.status, response.is_byok, len(response.endpoint_id)) == (200, False, 36)
    other, _ = gateway.openrouter(manage.create().text)
    for reader, given in [(other, answer.id), (sdk, "gen-0-nobody")]:
        with pytest.raises(errors.NotFoundResponseError):
            reader.generations.get_generation(id=given)
    with pytest.raises(errors.NotFoundResponseError):
        sdk.generations.list_generation_content(id=answer.id)


def test_activity_and_credits_add_up_to_what_was_charged(own_gateway, provider, own_manage):
    manage = own_manage
    key, other = manage.create(), manage.create()
    for caller in (key, key, other):
        ask(own_gateway.openrouter(caller.text)[0])
    assert manage.sdk.analytics.get_user_activity().data == []
    own_gateway.clock.set(NOON + timedelta(days=1))
    manage.keys.delete(hash=other.hash)

    [row] = manage.sdk.analytics.get_user_activity().data
    assert (row.date_, row.model) == ("2026-11-18", "fake/plain")
    assert (row.requests, row.prompt_tokens, row.completion_tokens, row.cached_tokens) == (3, 63, 21, 24)
    assert manage.wire.last.json["data"][0]["usage"] == 3 * COST
    manage.sdk.analytics.get_user_activity(request={"date_": "2026-11-18", "api_key_hash": other.hash})
    assert manage.wire.last.json["data"][0]["usage"] == COST
    with pytest.raises(errors.NotFoundResponseError):
        manage.sdk.analytics.get_user_activity(request={"api_key_hash": "0" * 64})
    with pytest.raises(errors.BadRequestResponseError):
        manage.sdk.analytics.get_user_activity(request={"date_": "2026-11-19"})

    manage.sdk.credits.get_credits()
    assert manage.wire.last.json["data"] == {"total_credits": 0, "total_usage": 3 * COST}
    sdk, _ = own_gateway.openrouter(key.text)
    for refused in (sdk.credits.get_credits, sdk.analytics.get_user_activity):
        with pytest.raises(errors.ForbiddenResponseError):
            refused()


def test_models_come_in_pages_until_there_are_none(gateway, manage):
    models = manage.sdk.models
    own = ListModelsUserSecurity(bearer=MANAGEMENT_KEY)
    for listed in (models.list, partial(models.list_for_user, security=own)):
        pages, page = [], listed(limit=1, sort="context-high-to-low")
        while page is not None:
            pages.append([model.id for model in page.result.data])
            page = page.next()
        assert [ids for ids in pages if ids] == [["fake/dear"], ["fake/plain"]]
    found = models.list(q="PLAIN", max_price=0.0375, providers="fake", supported_parameters="tools").result
    assert [model.id for model in found.data] == ["fake/plain"]
    assert (found.total_count, found.links.next) == (1, None)
    assert models.count().data.count == 2
    assert models.get(author="fake", slug="plain").data.id == "fake/plain"


def test_endpoints_and_providers_are_read_whole(gateway, manage):
    listed = manage.sdk.endpoints.list(author="fake", slug="plain").data
    [endpoint] = listed.endpoints
    assert (listed.id, endpoint.tag, endpoint.status) == ("fake/plain", "fake", 0)
    assert (endpoint.context_length, endpoint.max_completion_tokens) == (8192, 1024)
    assert endpoint.pricing.prompt == "0.0000000375"
    assert manage.sdk.endpoints.list_zdr_endpoints().data == []
    assert [provider.slug for provider in manage.sdk.providers.list().data] == ["fake"]
    with pytest.raises(errors.NotFoundResponseError):
        manage.sdk.endpoints.list(author="fake", slug="nobody")
