CREATE TABLE meta(key text PRIMARY KEY, value bigint NOT NULL);
CREATE TABLE groups(id bigint PRIMARY KEY, name text NOT NULL, deleted boolean NOT NULL DEFAULT false);
CREATE TABLE streams(group_id bigint NOT NULL, name bytea NOT NULL);
CREATE UNIQUE INDEX streams_once ON streams (group_id, sha256(name));
CREATE TABLE segments(id bytea PRIMARY KEY, file text NOT NULL, bytes bigint NOT NULL, tier smallint NOT NULL,
        place smallint NOT NULL);
CREATE TABLE runs(segment bytea, group_id bigint, n_events bigint NOT NULL, first bigint NOT NULL,
        last bigint NOT NULL, retired bigint, PRIMARY KEY (segment, group_id));
CREATE TABLE positions(source bytea NOT NULL, file bytea NOT NULL, generation bigint NOT NULL,
        start bigint NOT NULL, "end" bigint NOT NULL);
CREATE INDEX positions_of_file ON positions (sha256(file));
CREATE TABLE batch_files(hour bigint PRIMARY KEY, n_entries bigint NOT NULL);
CREATE TABLE doomed(file text, place smallint, PRIMARY KEY (file, place));
CREATE TABLE deletions(id bigint PRIMARY KEY, group_id bigint NOT NULL, n_events bigint NOT NULL,
        created_ns bigint NOT NULL, sequences bytea NOT NULL);
