//! Which AI agent asks: told by `HALLPASS_AGENT_ID`, else recognised by the variables that agents set.

use crate::limits::TAG_VALUE_CHARS_MAX;

/// The variables that name the agent outright, first match wins.
pub const AGENT_ID_VARIABLES: [&str; 2] = ["HALLPASS_AGENT_ID", "AUDEX_AGENT_ID"];

/// Variables that well-known agents set for their children, and the name that we record for them.
pub const AGENT_MARKERS: [(&str, &str); 12] = [
    ("CLAUDECODE", "claude-code"),
    ("CLAUDE_CODE_ENTRYPOINT", "claude-code"),
    ("CODEX_SANDBOX", "codex"),
    ("CODEX_THREAD_ID", "codex"),
    ("CURSOR_AGENT", "cursor"),
    ("CURSOR_TRACE_ID", "cursor"),
    ("GEMINI_CLI", "gemini-cli"),
    ("OPENCODE", "opencode"),
    ("AIDER_MODEL", "aider"),
    ("GOOSE_TERMINAL", "goose"),
    ("COPILOT_AGENT_SESSION_ID", "copilot"),
    ("AMP_THREAD_ID", "amp"),
];

/// The agent's id from an environment, given as a look-up. Control characters are dropped, and the text is cut
/// to what a session tag can carry.
pub fn recognise(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let named = AGENT_ID_VARIABLES.iter().find_map(|name| variable(name).and_then(|value| clean(&value)));
    named.or_else(|| {
        let marker = |(name, id): &(&str, &str)| variable(name).filter(|v| !v.is_empty()).map(|_| (*id).to_owned());
        AGENT_MARKERS.iter().find_map(marker)
    })
}

fn clean(value: &str) -> Option<String> {
    let text: String = value.trim().chars().filter(|c| !c.is_control()).take(TAG_VALUE_CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::recognise;

    fn from<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned())
    }

    #[test]
    fn a_name_that_is_told_wins_over_one_that_is_guessed() {
        let told = [("CLAUDECODE", "1"), ("AUDEX_AGENT_ID", "old"), ("HALLPASS_AGENT_ID", " mine\n ")];
        assert_eq!(recognise(from(&told)).as_deref(), Some("mine"));
        assert_eq!(recognise(from(&told[..2])).as_deref(), Some("old"));
        assert_eq!(recognise(from(&told[..1])).as_deref(), Some("claude-code"));
        assert_eq!(recognise(from(&[("HALLPASS_AGENT_ID", "  "), ("GEMINI_CLI", "")])), None);
    }
}
