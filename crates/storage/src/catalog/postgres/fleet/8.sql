CREATE TABLE receipts(id bigint PRIMARY KEY, text bytea NOT NULL, change bigint NOT NULL);
CREATE INDEX receipts_by_change ON receipts (change);
ALTER TABLE deletions ADD COLUMN awaited text[];
ALTER TABLE nodes ADD COLUMN erases boolean NOT NULL DEFAULT false;
