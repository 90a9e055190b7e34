//! Amounts in sentences.

/// `1 entry`, `2 entries`, `0 entries`.
pub(crate) fn counted(many: impl TryInto<u64>, one: &str, more: &str) -> String {
    match many.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        many => format!("{many} {more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_no_plural() {
        let told = [0_u64, 1, 2].map(|many| counted(many, "entry", "entries"));
        assert_eq!(told, ["0 entries", "1 entry", "2 entries"]);
    }
}
