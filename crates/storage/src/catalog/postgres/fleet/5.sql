CREATE TABLE changed_segments(change bigint NOT NULL, id bytea NOT NULL);
CREATE INDEX changed_segments_by_change ON changed_segments (change);
CREATE INDEX retired_runs ON runs (segment) WHERE retired IS NOT NULL;
CREATE FUNCTION note_changed_segments() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE current bigint;
        BEGIN
            IF EXISTS (SELECT 1 FROM nodes) THEN
                SELECT coalesce(max(value), 0) + 1 INTO current FROM meta WHERE key = 'changes';
                INSERT INTO changed_segments SELECT current, id FROM touched;
                DELETE FROM changed_segments WHERE change < current - 1000;
            END IF;
            RETURN NULL;
        END $$;
CREATE TRIGGER segments_come AFTER INSERT ON segments REFERENCING NEW TABLE AS touched
        FOR EACH STATEMENT EXECUTE FUNCTION note_changed_segments();
CREATE TRIGGER segments_move AFTER UPDATE ON segments REFERENCING NEW TABLE AS touched
        FOR EACH STATEMENT EXECUTE FUNCTION note_changed_segments();
CREATE TRIGGER segments_go AFTER DELETE ON segments REFERENCING OLD TABLE AS touched
        FOR EACH STATEMENT EXECUTE FUNCTION note_changed_segments();
