-- A model may have several endpoints at one provider, told apart by the provider's name for it. The
-- daily sums now do so; they are worked out again from the rows and the sealed rows, since the old
-- ones can't say.

ALTER TABLE entries ADD COLUMN cache_discount INTEGER;

CREATE TABLE daily_by_endpoint (
    day               INTEGER NOT NULL,
    key               BLOB NOT NULL,
    workspace         BLOB NOT NULL,
    creator           TEXT NOT NULL,
    model             TEXT NOT NULL,
    provider          TEXT NOT NULL,
    upstream_model    TEXT NOT NULL,
    credits           INTEGER NOT NULL,
    byok              INTEGER NOT NULL,
    requests          INTEGER NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    reasoning_tokens  INTEGER NOT NULL,
    cached_tokens     INTEGER NOT NULL,
    PRIMARY KEY (day, key, workspace, creator, model, provider, upstream_model)
) STRICT, WITHOUT ROWID;

-- Row by row, and a sum past the largest integer stays at it: sum() would fail, and the file could
-- not be opened any more. The day is rounded down, before 1970 as well.
INSERT INTO daily_by_endpoint
SELECT (admitted_at - (admitted_at % 86400000000 + 86400000000) % 86400000000) / 86400000000,
       key, workspace, coalesce(creator, ''), model, provider, upstream_model, credits, byok,
       kind = 0, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens
FROM entries
UNION ALL
SELECT day, key, workspace, creator, model, provider, upstream_model, credits, byok, requests,
       prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens
FROM sealed WHERE true
ON CONFLICT DO UPDATE SET
    credits = CASE typeof(credits + excluded.credits)
        WHEN 'integer' THEN credits + excluded.credits
        ELSE iif(credits > 0, 9223372036854775807, -9223372036854775808) END,
    byok = CASE typeof(byok + excluded.byok)
        WHEN 'integer' THEN byok + excluded.byok
        ELSE iif(byok > 0, 9223372036854775807, -9223372036854775808) END,
    requests = requests + excluded.requests,
    prompt_tokens = CASE typeof(prompt_tokens + excluded.prompt_tokens)
        WHEN 'integer' THEN prompt_tokens + excluded.prompt_tokens
        ELSE 9223372036854775807 END,
    completion_tokens = CASE typeof(completion_tokens + excluded.completion_tokens)
        WHEN 'integer' THEN completion_tokens + excluded.completion_tokens
        ELSE 9223372036854775807 END,
    reasoning_tokens = CASE typeof(reasoning_tokens + excluded.reasoning_tokens)
        WHEN 'integer' THEN reasoning_tokens + excluded.reasoning_tokens
        ELSE 9223372036854775807 END,
    cached_tokens = CASE typeof(cached_tokens + excluded.cached_tokens)
        WHEN 'integer' THEN cached_tokens + excluded.cached_tokens
        ELSE 9223372036854775807 END;

DROP TABLE daily;
ALTER TABLE daily_by_endpoint RENAME TO daily;
