CREATE TABLE settings(kind TEXT, name TEXT, json TEXT NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY(kind, name)) WITHOUT ROWID;
INSERT INTO settings
        SELECT 'retention', group_name, json_object('age_ns', age_ns, 'bytes', bytes), 1 FROM retention;
DROP TABLE retention;
CREATE TABLE identity(store BLOB NOT NULL);
