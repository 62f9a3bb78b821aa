#!/usr/bin/env bash
# Makes a fresh book with one key under a daily limit that no run comes near. The key's text is fixed, so that the
# target's file can name it: it is given as a partner's own secret, as POST /keys allows.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf ../data/tollgate
mkdir -p ../data/tollgate
tollgate=${TOLLGATE_BIN:-../../target/release/tollgate}
"$tollgate" serve --config tollgate.toml >../logs/tollgate-key.log 2>&1 &
server=$!
trap 'kill "$server"; wait "$server" || true' EXIT
for _ in $(seq 100); do
  curl -sf http://127.0.0.1:9301/ready >/dev/null && break
  sleep 0.1
done
curl -sf http://127.0.0.1:9301/api/v1/keys -H "Authorization: Bearer $TOLLGATE_MANAGEMENT_KEY" -d '{
  "name": "bench", "limit": 1000000, "limit_reset": "daily",
  "external": { "user": "bench", "api_key": "bench-8d1f60c7a25b4e93af0c6d7e1b2a3948-key" } }' >/dev/null
