-- A call is an event of the ledger too: one that came from a call names it and has no row among the requests.
ALTER TABLE completed_event DROP CONSTRAINT completed_event_association_id_request_id_fkey;
-- The call of an urgent call; request_id is then what its plan hunted by.
ALTER TABLE completed_event ADD COLUMN call_id TEXT;
ALTER TABLE completed_event ADD UNIQUE (association_id, call_id);
ALTER TABLE completed_event ADD FOREIGN KEY (association_id, call_id) REFERENCES call;

ALTER TABLE call_report ADD COLUMN minutes BIGINT;
