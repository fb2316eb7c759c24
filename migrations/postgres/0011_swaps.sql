-- Requests about published duties: what they changed in the rota beside taken swaps, and the office's word by
-- telephone for a change shortly before the duty begins.

CREATE TABLE swap_override (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    override_id TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id, override_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request,
    FOREIGN KEY (association_id, override_id) REFERENCES rota_override
);

CREATE TABLE swap_confirmation (
    association_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    confirmed_by TEXT NOT NULL,
    PRIMARY KEY (association_id, request_id),
    FOREIGN KEY (association_id, request_id) REFERENCES request
);

-- The requests that led to a taken swap.
CREATE INDEX rota_swap_by_request ON rota_swap (association_id, request_id);
-- The open ones of each kind.
CREATE INDEX request_open_by_kind ON request (association_id, kind, answer_by_ms, request_id)
    WHERE state NOT IN ('closed', 'refused', 'withdrawn', 'expired');
