-- What was recorded since a month was made is found without reading what was counted before.
CREATE INDEX completed_event_by_record ON completed_event (association_id, at_ms, request_id);
-- Sums of closed months are read from here alone; lines of a case are found whatever month closed them.
CREATE INDEX ledger_sealed_sums ON ledger_sealed (association_id, month, program, tariff, party, entry, civil_date, reason, amount_yen);
CREATE INDEX ledger_sealed_by_case ON ledger_sealed (association_id, case_no);
