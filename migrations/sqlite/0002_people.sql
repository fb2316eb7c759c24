-- The directory: what stands beside the names of institutions and members.

ALTER TABLE institution ADD COLUMN kana TEXT NOT NULL DEFAULT '';
ALTER TABLE institution ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE institution ADD COLUMN fax BLOB;
ALTER TABLE institution ADD COLUMN bank BLOB;
ALTER TABLE institution ADD COLUMN entry TEXT NOT NULL DEFAULT '{}';
ALTER TABLE institution ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE institution ADD COLUMN reviewed_at_ms INTEGER;
ALTER TABLE institution ADD COLUMN closed_at_ms INTEGER;
-- The insurer's code (保険医療機関コード) is one institution's alone; many entries of the directory have none.
CREATE UNIQUE INDEX institution_by_code ON institution (association_id, code) WHERE code <> '';

ALTER TABLE member ADD COLUMN member_no TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN fax BLOB;
ALTER TABLE member ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE member ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
-- Of those who are still here: a number may be given again.
CREATE UNIQUE INDEX member_by_no ON member (association_id, member_no) WHERE member_no <> '' AND left_at_ms IS NULL;
