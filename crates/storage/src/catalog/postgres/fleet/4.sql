CREATE TABLE nodes(epoch bigint PRIMARY KEY, name text NOT NULL, address text NOT NULL, roles text NOT NULL,
        zone text NOT NULL, started timestamptz NOT NULL, renewed timestamptz NOT NULL, changes bigint NOT NULL,
        listed bigint NOT NULL DEFAULT -1);
CREATE TABLE leases(name text PRIMARY KEY, epoch bigint NOT NULL, until timestamptz NOT NULL);
CREATE TABLE objects(number bigint PRIMARY KEY, epoch bigint NOT NULL, place bigint NOT NULL, bytes bigint NOT NULL,
        first_sequence bigint NOT NULL, end_sequence bigint NOT NULL, records bytea NOT NULL, UNIQUE (epoch, place));
CREATE TABLE batches(id bytea PRIMARY KEY, digest bytea NOT NULL, first_sequence bigint NOT NULL,
        n_events bigint NOT NULL, accepted timestamptz NOT NULL);
CREATE INDEX batches_accepted ON batches (accepted);
ALTER TABLE doomed ADD COLUMN change bigint NOT NULL DEFAULT 0;
