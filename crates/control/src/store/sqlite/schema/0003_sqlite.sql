-- The guards of families, in SQLite's own words.

CREATE TRIGGER sessions_keep_their_parent BEFORE UPDATE OF parent_id ON sessions
BEGIN
  SELECT RAISE(ABORT, 'a session''s parent does not change');
END;

CREATE TRIGGER sessions_do_not_outlive_their_parent BEFORE INSERT ON sessions
WHEN NEW.parent_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM sessions WHERE id = NEW.parent_id AND status = 'active' AND expires_at >= NEW.expires_at)
BEGIN
  SELECT RAISE(ABORT, 'a child session needs an active parent that lives at least as long');
END;

CREATE TRIGGER sessions_end_before_their_parent BEFORE UPDATE OF ended_at ON sessions
WHEN NEW.ended_at IS NOT NULL AND EXISTS (
  SELECT 1 FROM sessions WHERE parent_id = NEW.id AND ended_at IS NULL)
BEGIN
  SELECT RAISE(ABORT, 'a session with a live child cannot end without it');
END;
