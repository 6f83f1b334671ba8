ALTER TABLE segments ADD COLUMN tier INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segments ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
CREATE TABLE doomed_anywhere(file TEXT, place INTEGER, PRIMARY KEY(file, place)) WITHOUT ROWID;
INSERT INTO doomed_anywhere SELECT file, 0 FROM doomed;
DROP TABLE doomed;
ALTER TABLE doomed_anywhere RENAME TO doomed;
CREATE TABLE deletions(id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, n_events INTEGER NOT NULL,
        created_ns INTEGER NOT NULL, sequences BLOB NOT NULL);
CREATE TABLE identity(store BLOB NOT NULL);
