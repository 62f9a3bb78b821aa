-- What was asked for: until now, nothing but chat completions.

ALTER TABLE entries ADD COLUMN api_type TEXT NOT NULL DEFAULT 'completions';
