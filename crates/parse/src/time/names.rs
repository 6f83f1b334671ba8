//! Names in times: months in the languages that programs write, and abbreviations of zones.

/// What an abbreviation of a zone means, in minutes east of UTC, the most common meaning first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Abbreviation {
    pub(super) name: &'static str,
    pub(super) minutes: &'static [i16],
}

const fn zone(name: &'static str, minutes: &'static [i16]) -> Abbreviation {
    Abbreviation { name, minutes }
}

/// Abbreviations of the IANA database, today's and those that runtimes with older data write; words of prose and ones
/// without a common meaning are left out. Sorted by name.
static ZONES: [Abbreviation; 72] = [
    zone("ACDT", &[630]),
    zone("ACST", &[570]),
    zone("ADT", &[-180]),
    zone("AEDT", &[660]),
    zone("AEST", &[600]),
    zone("AKDT", &[-480]),
    zone("AKST", &[-540]),
    zone("AST", &[-240, 180]),
    zone("AWST", &[480]),
    zone("BRST", &[-120]),
    zone("BRT", &[-180]),
    zone("BST", &[60, 360, 660]),
    zone("CAT", &[120]),
    zone("CDT", &[-300, -240]),
    zone("CEST", &[120]),
    zone("CET", &[60]),
    zone("CLST", &[-180]),
    zone("CLT", &[-240]),
    zone("CST", &[-360, 480, -300]),
    zone("EAT", &[180]),
    zone("EDT", &[-240]),
    zone("EEST", &[180]),
    zone("EET", &[120]),
    zone("EST", &[-300]),
    zone("GST", &[240, 600]),
    zone("HADT", &[-540]),
    zone("HAST", &[-600]),
    zone("HDT", &[-540]),
    zone("HKT", &[480]),
    zone("HST", &[-600]),
    zone("IDT", &[180]),
    zone("IRKT", &[480]),
    zone("IRST", &[210]),
    zone("IST", &[330, 120, 60]),
    zone("JST", &[540]),
    zone("KRAT", &[420]),
    zone("KST", &[540]),
    zone("MAGT", &[660]),
    zone("MDT", &[-360]),
    zone("MEST", &[120]),
    zone("MESZ", &[120]),
    zone("MET", &[60]),
    zone("MEZ", &[60]),
    zone("MSD", &[240]),
    zone("MSK", &[180]),
    zone("MST", &[-420]),
    zone("MYT", &[480]),
    zone("NDT", &[-150]),
    zone("NOVT", &[420]),
    zone("NPT", &[345]),
    zone("NST", &[-210]),
    zone("NZDT", &[780]),
    zone("NZST", &[720]),
    zone("OMST", &[360]),
    zone("PDT", &[-420]),
    zone("PHT", &[480]),
    zone("PKT", &[300]),
    zone("PST", &[-480, 480]),
    zone("SAMT", &[240]),
    zone("SAST", &[120]),
    zone("SGT", &[480]),
    zone("SST", &[-660]),
    zone("TRT", &[180]),
    zone("UYT", &[-180]),
    zone("VLAT", &[600]),
    zone("WAT", &[60]),
    zone("WEST", &[60]),
    zone("WET", &[0]),
    zone("WIB", &[420]),
    zone("WIT", &[540]),
    zone("WITA", &[480]),
    zone("YEKT", &[300]),
];

/// The zone of this abbreviation.
pub(super) fn abbreviation(word: &[u8]) -> Option<&'static Abbreviation> {
    let place = ZONES.binary_search_by(|zone| zone.name.as_bytes().cmp(word)).ok()?;
    Some(&ZONES[place])
}

/// Names of the months from January on, as prefixes with what may be cut off them behind the bar; English is first, which
/// decides what several languages write. Sources: CLDR and glibc (en, de, fr, es, pt, it, nl, sv, da, nb, pl, cs, id, tr, fi,
/// hu, ru).
const MONTHS: [&[&str]; 12] = [
    &["jan|uary", "jan|uar", "jan|uari", "jan|vier", "janv", "ene|ro", "jan|eiro", "gen|naio", "sty|cznia", "jän|ner", "oca|k", "led|na", "tammi|kuuta", "янв|аря"],
    &["feb|ruary", "feb|ruar", "feb|ruari", "fév|rier", "févr", "fev|rier", "fevr", "feb|rero", "fev|ereiro", "feb|braio", "lut|ego", "peb|ruari", "şub|at", "Şub|at", "úno|ra", "helmi|kuuta", "фев|раля"],
    &["mar|ch", "mär|z", "mrz", "mar|s", "mar|zo", "mar|ço", "maart", "mrt", "mar|et", "mar|ca", "mar|t", "mar|ts", "bře|zna", "maalis|kuuta", "márc|ius", "мар|та"],
    &["apr|il", "avr|il", "abr|il", "apr|ile", "kwi|etnia", "nis|an", "dub|na", "huhti|kuuta", "ápr|ilis", "апр|еля"],
    &["may", "mai", "may|o", "mai|o", "mag|gio", "mei", "maj", "maj|a", "may|ıs", "kvě|tna", "touko|kuuta", "máj|us", "мая", "май"],
    &["jun|e", "jun|i", "juin", "jun|io", "jun|ho", "giu|gno", "cze|rwca", "haz|iran", "čer|vna", "kesä|kuuta", "jún|ius", "июн|я"],
    &["jul|y", "jul|i", "juil|let", "jul|io", "jul|ho", "lug|lio", "lip|ca", "tem|muz", "čvc", "heinä|kuuta", "júl|ius", "июл|я"],
    &["aug|ust", "aoû|t", "aou|t", "ago|sto", "aug|ustus", "aug|usti", "sie|rpnia", "agu|stus", "agt", "ağu|stos", "srp|na", "elo|kuuta", "авг|уста"],
    &["sep|tember", "sept", "sep|tembre", "sept|iembre", "set|embro", "set|tembre", "wrz|eśnia", "eyl|ül", "zář|í", "syys|kuuta", "szept|ember", "сен|тября"],
    &["oct|ober", "okt|ober", "oct|obre", "oct|ubre", "out|ubro", "ott|obre", "paź|dziernika", "eki|m", "říj|na", "loka|kuuta", "окт|ября"],
    &["nov|ember", "nov|embre", "nov|iembre", "nov|embro", "lis|topada", "kas|ım", "marras|kuuta", "ноя|бря"],
    &["dec|ember", "dez|ember", "déc|embre", "dec|embre", "dic|iembre", "dez|embro", "dic|embre", "des|ember", "gru|dnia", "ara|lık", "pro|since", "joulu|kuuta", "дек|абря"],
];

/// Longest name of a month in bytes, `października` in UTF-8.
const MONTH_BYTES_MAX: usize = 18;

/// The month whose name begins at `at`, short or in full, and where the text goes on behind a point.
pub(super) fn month_at(b: &[u8], at: usize) -> Option<(u32, usize)> {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    let length = b.get(at..)?.iter().take(MONTH_BYTES_MAX + 8).take_while(|byte| is_letter(byte)).count();
    let end = at + length + usize::from(b.get(at + length) == Some(&b'.'));
    // A number comes next, so that words are told from months before they are looked up.
    let is_followed = matches!(b.get(end), Some(b' ' | b'-' | b'/' | b':' | b',' | b'\t') | None)
        && b[end..].iter().take(4).any(|byte| byte.is_ascii_digit());
    if !is_followed || length < 3 {
        return None;
    }
    month_of(&b[at..at + length]).map(|month| (month, end))
}

fn month_of(word: &[u8]) -> Option<u32> {
    let known = match word {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => 0,
    };
    if known > 0 {
        return Some(known);
    }
    let is_month = |name: &str| {
        let (short, rest) = name.split_once('|').unwrap_or((name, ""));
        let (start, behind) = word.split_at_checked(short.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(short.as_bytes())
            && !start.is_empty()
            && (behind.is_empty() || behind.eq_ignore_ascii_case(rest.as_bytes()))
    };
    MONTHS.iter().position(|names| names.iter().any(|name| is_month(name))).map(|place| place as u32 + 1)
}

/// The end of a day of the week in English, short or in full, with its comma and blanks.
pub(super) fn weekday_end(b: &[u8], at: usize) -> Option<usize> {
    const DAYS: [&[u8]; 7] = [b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday", b"Sunday"];
    let day = DAYS.iter().find(|day| b[at..].starts_with(&day[..3]))?;
    let length = if b[at..].starts_with(day) { day.len() } else { 3 };
    let mut end = at + length;
    end += usize::from(matches!(b.get(end), Some(b',' | b'.')));
    let n_blanks = b[end..].iter().take(3).take_while(|byte| **byte == b' ').count();
    (n_blanks > 0).then_some(end + n_blanks)
}
