//! Words of a head: what they are made of, which are levels, and which are of prose.

use types::Level;

/// What a word is made of; a blank, tab, bar or colour ends it.
pub(super) const UPPER: u8 = 1;
pub(super) const LOWER: u8 = 2;
pub(super) const DIGIT: u8 = 4;
pub(super) const COLON: u8 = 8;
pub(super) const EQUALS: u8 = 16;
/// Punctuation, and what encloses or joins.
pub(super) const MARK: u8 = 32;
pub(super) const OTHER: u8 = 64;
pub(super) const END: u8 = 128;

pub(super) const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' | 128.. => LOWER,
            b'0'..=b'9' => DIGIT,
            b':' => COLON,
            b'=' => EQUALS,
            b'.' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'>' | b'/' | b'\'' | b'!' | b'?' | b'*' => MARK,
            b' ' | b'\t' | b'|' | 0x1b => END,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
};

/// A level in upper case, and nothing that is written so for other reasons.
pub(crate) fn upper_level(word: &[u8]) -> Option<Level> {
    let is_upper = word.len() >= 3 && word.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'1'..=b'5'));
    if is_upper && !matches!(word, b"NOTE" | b"HTTP" | b"FAIL" | b"EXCEPTION") {
        Level::parse_bytes(word)
    } else {
        None
    }
}

/// A level in any case, but for names of categories.
pub(crate) fn any_level(word: &[u8]) -> Option<Level> {
    if !word.first()?.is_ascii_alphabetic() || matches!(word, b"SYSLOG" | b"EXCEPTION") {
        return None;
    }
    let is_category = ["config", "http", "log", "exception", "fine"].iter().any(|known| word == known.as_bytes());
    if is_category { None } else { Level::parse_bytes(word) }
}

/// A level in any case that a colon follows. `Note:`, `Success:` and `Failure:` begin sentences.
pub(crate) fn word_before_colon(word: &[u8]) -> Option<Level> {
    let is_said = !matches!(word.first()? | 0x20, b's' | b'f' | b'n')
        || [&b"notice"[..], b"fatal", b"severe"].iter().any(|said| word.eq_ignore_ascii_case(said));
    if is_said { any_level(word) } else { None }
}

/// Reports whether a word after the time or another word is certainly neither a level nor a sign of one: it consists of
/// letters and digits, and a blank without a colon follows. Most words are of this kind.
pub(super) fn says_nothing(word: &[u8], behind: &[u8], signs: u8) -> bool {
    let is_alone = matches!(behind, [b' ', next, ..] if *next != b':');
    let may_be_sign = match word.first() {
        Some(b'P' | b'F' | b'f' | b'L' | 0x80..) => true,
        Some(b'A'..=b'Z') => signs & LOWER == 0,
        _ => false,
    };
    let is_bare = signs != 0 && signs & !(UPPER | LOWER | DIGIT) == 0;
    is_alone && is_bare && !may_be_sign && Level::parse_bytes(word).is_none()
}

/// `core:error`, `7:8:ERROR:file.cc(88)`, `ERROR/main`, `main INFO`, `ID 7 daemon.err`.
pub(super) fn in_brackets(inside: &[u8]) -> Option<Level> {
    let mut parts = inside.split(|byte| *byte == b':');
    let first = parts.next()?;
    let is_module = first.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let mut of_module = parts.clone().take(1).filter(|_| is_module && parts.clone().count() == 1);
    let mut words =
        [inside.split(|byte| matches!(byte, b' ' | b'/')).next(), inside.rsplit(|byte| *byte == b' ').next()];
    let of_words = words.iter_mut().flatten().find_map(|word| upper_level(word));
    of_words
        .or_else(|| of_module.next().and_then(any_level))
        .or_else(|| parts.take(6).find_map(upper_level))
        .or_else(|| facility_and_severity(inside.rsplit(|byte| *byte == b' ').next()?))
}

/// `daemon.err`, `local0.notice`.
pub(super) fn facility_and_severity(word: &[u8]) -> Option<Level> {
    const FACILITIES: [&[u8]; 14] = [
        b"kern", b"user", b"mail", b"daemon", b"auth", b"syslog", b"lpr", b"news", b"uucp", b"cron", b"authpriv",
        b"ftp", b"ntp", b"local",
    ];
    if !matches!(word.first()?, b'a' | b'c' | b'd' | b'f' | b'k'..=b'n' | b's' | b'u') {
        return None;
    }
    let point = word.iter().take(9).position(|byte| *byte == b'.')?;
    let facility = word[..point].strip_suffix(&[word[point.checked_sub(1)?]]).filter(|local| *local == b"local");
    if !FACILITIES.contains(&facility.unwrap_or(&word[..point])) {
        return None;
    }
    let severity = word[point + 1..].strip_suffix(b":").unwrap_or(&word[point + 1..]);
    any_level(severity).filter(|_| severity.iter().all(u8::is_ascii_lowercase))
}

/// `tilld[4471]`, `tilld[4471]:`.
pub(super) fn is_process(word: &[u8]) -> bool {
    let word = word.strip_suffix(b":").unwrap_or(word);
    let process = word.strip_suffix(b"]").and_then(|word| word.split(|byte| *byte == b'[').nth(1));
    process.is_some_and(|process| process.first().is_some_and(u8::is_ascii_digit)) && word[0].is_ascii_alphabetic()
}

/// `TS2322:`, `MSB3277:`: the number of a compiler's message.
pub(super) fn is_code(word: &[u8]) -> bool {
    let Some(code) = word.strip_suffix(b":") else { return false };
    let n_letters = code.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    (1..=5).contains(&n_letters) && code.len() > n_letters + 1 && code[n_letters..].iter().all(u8::is_ascii_digit)
}

/// Whether a word looks like one of a sentence: letters that are not all capitals.
pub(super) fn is_plain(word: &[u8]) -> bool {
    let word = word.strip_suffix(b".").unwrap_or(word);
    !word.is_empty()
        && word.iter().all(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii() || matches!(byte, b'\'' | b'!' | b'?'))
        && (word.len() == 1 || word.iter().any(u8::is_ascii_lowercase))
}

/// Words that no column holds, by their lengths.
const WORDS_OF_PROSE: [&[&[u8]]; 6] = [
    &[],
    &[b"a"],
    &[b"an", b"as", b"at", b"by", b"if", b"in", b"is", b"it", b"no", b"of", b"on", b"or", b"to"],
    &[b"all", b"and", b"any", b"are", b"for", b"got", b"had", b"has", b"not", b"the", b"was"],
    &[b"from", b"have", b"that", b"this", b"when", b"with"],
    &[b"found"],
];

pub(super) fn is_of_prose(word: &[u8]) -> bool {
    WORDS_OF_PROSE.get(word.len()).is_some_and(|known| known.iter().any(|known| word.eq_ignore_ascii_case(known)))
}
