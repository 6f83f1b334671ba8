CREATE TABLE draining(name text PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());
ALTER TABLE nodes ADD COLUMN known bigint, ADD COLUMN drained boolean NOT NULL DEFAULT false;
CREATE TABLE puts(hour bigint PRIMARY KEY, first timestamptz NOT NULL DEFAULT now(), n bigint NOT NULL);
