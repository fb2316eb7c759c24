-- Tonight's check may ring: which call asked whoever does not read mail.
ALTER TABLE tonight_check ADD COLUMN call_id TEXT;
CREATE UNIQUE INDEX tonight_check_by_call ON tonight_check (association_id, call_id) WHERE call_id IS NOT NULL;
