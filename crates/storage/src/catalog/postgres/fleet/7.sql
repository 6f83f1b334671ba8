CREATE TABLE taken_segments(id bytea PRIMARY KEY, epoch bigint NOT NULL);
ALTER TABLE doomed ADD COLUMN epoch bigint;
