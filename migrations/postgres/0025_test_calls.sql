-- A test may be a call: how it ended stands beside when it was asked for.
ALTER TABLE reach_test ADD COLUMN call_id TEXT;
ALTER TABLE reach_test ADD COLUMN failed_at_ms BIGINT;
ALTER TABLE reach_test ADD COLUMN cause TEXT;
CREATE UNIQUE INDEX reach_test_by_call ON reach_test (association_id, call_id) WHERE call_id IS NOT NULL;

-- The call that rings a new number, once the office has called back: it counts when the key was pressed there.
ALTER TABLE phone_change ADD COLUMN call_id TEXT;
CREATE UNIQUE INDEX phone_change_by_call ON phone_change (association_id, call_id) WHERE call_id IS NOT NULL;
