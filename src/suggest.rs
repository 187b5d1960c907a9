//! "Did you mean": the nearest of a few words.

/// The known word nearest to `typed`, if it is near enough to be a slip.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match typed.len() {
        0..=1 => 0,
        2..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&typed.to_ascii_lowercase(), word), word))
        .filter(|(distance, word)| *distance <= allowed && *distance < word.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_nonsense_is_not() {
        assert_eq!(nearest("tpc", ["tcp", "udp"]), Some("tcp"));
        assert_eq!(nearest("nodlay", ["nodelay", "mark"]), Some("nodelay"));
        assert_eq!(nearest("zzzzzz", ["tcp", "udp"]), None);
        assert_eq!(nearest("h", ["sh"]), None);
        assert_eq!(nearest("http", ["tcp"]), None);
    }
}
