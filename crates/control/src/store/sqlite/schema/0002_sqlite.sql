-- The guards of the new columns, in SQLite's own words.

CREATE TRIGGER sessions_keep_their_caps BEFORE UPDATE OF max_requests, max_bytes, max_resources ON sessions
BEGIN
  SELECT RAISE(ABORT, 'what a session may use up does not change');
END;

CREATE TRIGGER sessions_spend_only_more BEFORE UPDATE OF spent_nano_usd, bytes_passed ON sessions
WHEN NEW.spent_nano_usd < OLD.spent_nano_usd OR NEW.bytes_passed < OLD.bytes_passed
BEGIN
  SELECT RAISE(ABORT, 'what a session has used is not given back');
END;
