CREATE TABLE states(name text PRIMARY KEY, version bigint NOT NULL);
CREATE TABLE state_records(state text, key text, version bigint NOT NULL, body text NOT NULL,
        PRIMARY KEY (state, key));
