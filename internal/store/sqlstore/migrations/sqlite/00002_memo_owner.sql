-- +goose Up

-- The record that a memo goes with; none for what belongs to no record.
ALTER TABLE memo ADD COLUMN owner INTEGER REFERENCES resource (pk) ON DELETE CASCADE;

CREATE INDEX memo_owner ON memo (owner) WHERE owner IS NOT NULL;
