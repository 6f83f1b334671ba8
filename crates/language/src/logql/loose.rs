//! Conditions that mean something else to Loki than their text says.

/// Returns texts that a label has to hold, or to be as a whole, one of which is enough.
///
/// Loki turns expressions such as `err.*` and `warn|warning` into searches for texts, and forgets on the way that they
/// are about the whole label. `None` for expressions that it leaves as they are.
pub(super) fn loose_texts(expression: &str) -> Option<Vec<(String, bool)>> {
    let mut texts: Vec<(String, bool)> = Vec::new();
    for part in expression.split('|') {
        let literal = part.strip_prefix(".*").unwrap_or(part);
        let literal = literal.strip_suffix(".*").unwrap_or(literal);
        let is_plain = !literal.is_empty() && !literal.contains(|c: char| "\\.+*?()|[]{}^$".contains(c));
        if !is_plain {
            return None;
        }
        texts.push((literal.to_owned(), literal.len() == part.len()));
    }
    let mut is_loose = texts.iter().any(|(_, is_whole)| !is_whole);
    let has_same_start = |a: &(String, bool), b: &(String, bool)| a.0.chars().next() == b.0.chars().next();
    for group in texts.chunk_by_mut(has_same_start) {
        let n_chars = |text: &str| text.chars().count();
        if group.len() == 1 {
            if expression.contains('|') && (n_chars(&group[0].0) == 1 || !group[0].1) {
                return None;
            }
            continue;
        }
        // Texts with the same beginning become one expression, unless one of them is none of texts alone.
        let differs = |n: &usize| group.iter().any(|(text, _)| text.get(..*n) != group[0].0.get(..*n));
        let n_shared = (1..=group[0].0.len()).find(differs).unwrap_or(group[0].0.len() + 1) - 1;
        let n_short =
            group.iter().filter(|(text, _)| text.get(n_shared..).is_some_and(|rest| n_chars(rest) == 1)).count();
        if n_short > 1 || group.iter().any(|(_, is_whole)| !is_whole) {
            return None;
        }
        group.iter_mut().for_each(|(_, is_whole)| *is_whole = false);
        is_loose = true;
    }
    is_loose.then_some(texts)
}

/// Returns a size with two or three digits: Loki writes a query anew before it runs it, and sizes so.
pub(super) fn rounded_size(bytes: u64) -> f64 {
    if bytes < 10 {
        return bytes as f64;
    }
    let unit = 1000f64.powi(bytes.ilog10() as i32 / 3);
    let tenths = (bytes as f64 / unit * 10.0 + 0.5).floor() / 10.0;
    if tenths < 10.0 { (tenths * 10.0).round() / 10.0 * unit } else { tenths.round_ties_even() * unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_texts_forget_the_ends_of_the_label() {
        let check = |expression: &str, expected: &[(&str, bool)]| {
            let texts = loose_texts(expression);
            let shown: Vec<(&str, bool)> =
                texts.iter().flatten().map(|(text, is_whole)| (&**text, *is_whole)).collect();
            assert_eq!((shown.as_slice(), texts.is_some()), (expected, !expected.is_empty()), "{expression}");
        };
        check("0.*", &[("0", false)]);
        check(".*api.*", &[("api", false)]);
        check("warn|warning", &[("warn", false), ("warning", false)]);
        check("info|error|err", &[("info", true), ("error", false), ("err", false)]);
        for exact in ["error", "info|warn", ".*", "", "err[12]", "err1|err2", "5|6", "a.c.*", "(?i)err.*", "err.*|warn"]
        {
            check(exact, &[]);
        }
    }

    #[test]
    fn sizes_keep_two_or_three_digits() {
        let check = |bytes: u64, expected: f64| assert_eq!(rounded_size(bytes), expected, "{bytes}");
        check(204_800, 205_000.0);
        check(1_024, 1_000.0);
        check(1_500_000, 1_500_000.0);
        check(10_240, 10_000.0);
        check(7, 7.0);
        check(1_550, 1_600.0);
    }
}
