-- Whose credential a request went with: the id of the owner's, null for the operator's own.
ALTER TABLE entries ADD COLUMN credential BLOB CHECK (length(credential) = 16);
