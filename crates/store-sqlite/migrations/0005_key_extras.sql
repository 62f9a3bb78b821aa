-- What a key may use and how fast it may go; null is all, or unlimited. Models are a JSON array.
ALTER TABLE keys ADD COLUMN allowed_models TEXT;
ALTER TABLE keys ADD COLUMN requests_per_minute INTEGER CHECK (requests_per_minute > 0);
ALTER TABLE keys ADD COLUMN tokens_per_minute INTEGER CHECK (tokens_per_minute > 0);
ALTER TABLE keys ADD COLUMN concurrent_requests INTEGER CHECK (concurrent_requests > 0);
