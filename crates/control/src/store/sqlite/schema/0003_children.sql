-- Child sessions: made by a request of another session, ended with it.

INSERT INTO schema_version (version) VALUES (3);

ALTER TABLE sessions ADD COLUMN parent_id TEXT;
CREATE INDEX sessions_live_children ON sessions (parent_id, id) WHERE ended_at IS NULL AND parent_id IS NOT NULL;
