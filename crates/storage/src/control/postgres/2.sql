CREATE TABLE settings(kind text, name text, json text NOT NULL, version bigint NOT NULL, PRIMARY KEY (kind, name));
