-- The audit log in runs of entries, and the guards, in SQLite's own words.

-- One row: the end of the log, from which the next entry is made without reading what came before.
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 0),
  log_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  last_hash BLOB NOT NULL,
  frontier BLOB NOT NULL,
  signed_size INTEGER NOT NULL,
  signed_at INTEGER NOT NULL
) STRICT;

-- `bytes` holds the entries one after the other, each behind its length (16 bits, big-endian).
CREATE TABLE audit_runs (
  first_seq INTEGER PRIMARY KEY,
  entries INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

-- Which runs hold entries of a session, and how many.
CREATE TABLE audit_run_sessions (
  session_id TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  PRIMARY KEY (session_id, first_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_checkpoints (
  size INTEGER PRIMARY KEY,
  root BLOB NOT NULL,
  signed_at INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;

CREATE TRIGGER sessions_begin_pending_or_imported BEFORE INSERT ON sessions
WHEN NOT ((NEW.status = 'pending' AND NEW.imported_from IS NULL)
  OR (NEW.ended_at IS NOT NULL AND NEW.imported_from IS NOT NULL))
BEGIN
  SELECT RAISE(ABORT, 'a session begins pending, or is imported ended');
END;

CREATE TRIGGER sessions_follow_the_table BEFORE UPDATE OF status ON sessions
WHEN NEW.status <> OLD.status AND NOT EXISTS (
  SELECT 1 FROM session_transitions WHERE from_status = OLD.status AND to_status = NEW.status)
BEGIN
  SELECT RAISE(ABORT, 'illegal change of a session''s state');
END;

CREATE TRIGGER sessions_ended_stay_ended BEFORE UPDATE OF
  status, ended_at, end_reason, exit_code, access_key_id, revocation ON sessions
WHEN OLD.ended_at IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'a session that has ended does not change');
END;

CREATE TRIGGER sessions_keep_their_authority BEFORE UPDATE OF
  id, created_at, expires_at, ttl_seconds, budget, policy, role_arn, principal_id, principal, command, provider,
  agent_id, tags, tenant, region, delivery, authority, imported_from ON sessions
BEGIN
  SELECT RAISE(ABORT, 'what a session may do does not change');
END;

CREATE TRIGGER sessions_live_are_not_removed BEFORE DELETE ON sessions
WHEN OLD.ended_at IS NULL
BEGIN
  SELECT RAISE(ABORT, 'a live session is not removed');
END;

CREATE TRIGGER audit_runs_are_not_changed BEFORE UPDATE ON audit_runs
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_runs_are_not_removed BEFORE DELETE ON audit_runs
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_run_sessions_are_not_changed BEFORE UPDATE ON audit_run_sessions
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_run_sessions_are_not_removed BEFORE DELETE ON audit_run_sessions
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_checkpoints_are_not_changed BEFORE UPDATE ON audit_checkpoints
BEGIN
  SELECT RAISE(ABORT, 'checkpoints are append-only');
END;

CREATE TRIGGER audit_checkpoints_are_not_removed BEFORE DELETE ON audit_checkpoints
BEGIN
  SELECT RAISE(ABORT, 'checkpoints are append-only');
END;

CREATE TRIGGER audit_head_only_grows BEFORE UPDATE ON audit_head
WHEN NEW.log_id <> OLD.log_id OR NEW.size < OLD.size OR NEW.signed_size < OLD.signed_size
BEGIN
  SELECT RAISE(ABORT, 'the audit log only grows');
END;

CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN
  SELECT RAISE(ABORT, 'the audit log only grows');
END;
