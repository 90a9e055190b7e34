-- Caps of a session, and what it has used of them: estimated money in nano-dollars, bytes of bodies both ways.

INSERT INTO schema_version (version) VALUES (2);

ALTER TABLE sessions ADD COLUMN max_requests BIGINT;
ALTER TABLE sessions ADD COLUMN max_bytes BIGINT;
ALTER TABLE sessions ADD COLUMN max_resources BIGINT;
ALTER TABLE sessions ADD COLUMN spent_nano_usd BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN bytes_passed BIGINT NOT NULL DEFAULT 0;
