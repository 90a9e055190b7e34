-- Sessions and their state machine. Text and integers only (times are UTC microseconds, lists are JSON text, hashes
-- are hex), so that PostgreSQL can run this file as it stands. What only SQLite knows is in 0001_sqlite.sql.

CREATE TABLE schema_version (
  version BIGINT NOT NULL
);
INSERT INTO schema_version (version) VALUES (1);

-- hallpass_core::session::SessionStatus::on, a second time; a test compares the two.
CREATE TABLE session_transitions (
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  PRIMARY KEY (from_status, to_status)
);
INSERT INTO session_transitions (from_status, to_status) VALUES
  ('pending', 'active'),
  ('pending', 'expired'),
  ('pending', 'revoked'),
  ('pending', 'failed'),
  ('active', 'completed'),
  ('active', 'expired'),
  ('active', 'revoked'),
  ('active', 'budget_exceeded'),
  ('active', 'failed');

CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ttl_seconds BIGINT NOT NULL,
  budget TEXT,
  policy TEXT NOT NULL,
  status TEXT NOT NULL CHECK (
    status IN ('pending', 'active', 'completed', 'expired', 'revoked', 'budget_exceeded', 'failed')
  ),
  role_arn TEXT NOT NULL,
  principal_id TEXT,
  principal TEXT NOT NULL,
  command TEXT NOT NULL,
  access_key_id TEXT,
  provider TEXT NOT NULL,
  agent_id TEXT,
  tags TEXT NOT NULL,
  tenant TEXT,
  region TEXT,
  delivery TEXT NOT NULL,
  revocation TEXT NOT NULL,
  ended_at BIGINT,
  end_reason TEXT,
  exit_code BIGINT,
  authority TEXT NOT NULL,
  imported_from TEXT,
  keeper_pid BIGINT,
  keeper_started_ticks BIGINT,
  keeper_boot_id TEXT,
  keeper_socket TEXT,
  keeper_user TEXT,
  requests_allowed BIGINT NOT NULL,
  requests_denied BIGINT NOT NULL,
  CHECK ((status IN ('pending', 'active')) = (ended_at IS NULL))
);

CREATE INDEX sessions_created ON sessions (created_at, id);
CREATE INDEX sessions_live ON sessions (created_at, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_reusable ON sessions (authority, expires_at) WHERE status = 'active';

CREATE TABLE session_tags (
  session_id TEXT NOT NULL,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (session_id, tag_key)
);
CREATE INDEX session_tags_key ON session_tags (tag_key, tag_value, session_id);
