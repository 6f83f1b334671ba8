//! Names in times: months in the languages that programs write, and abbreviations of zones.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What an abbreviation of a zone may mean, in minutes east of UTC, the most common meaning first: those of the IANA database,
/// of today or as runtimes with older data write it; words of prose and ones without a common meaning are left out.
pub(super) fn meanings(abbreviation: &[u8]) -> Option<&'static [i16]> {
    Some(match abbreviation {
        b"SST" => &[-660],
        b"HAST" | b"HST" => &[-600],
        b"AKST" | b"HADT" | b"HDT" => &[-540],
        b"AKDT" => &[-480],
        b"MST" | b"PDT" => &[-420],
        b"MDT" => &[-360],
        b"EST" => &[-300],
        b"CLT" | b"EDT" => &[-240],
        b"NST" => &[-210],
        b"ADT" | b"BRT" | b"CLST" | b"UYT" => &[-180],
        b"NDT" => &[-150],
        b"BRST" => &[-120],
        b"WET" => &[0],
        b"CET" | b"MET" | b"MEZ" | b"WAT" | b"WEST" => &[60],
        b"CAT" | b"CEST" | b"EET" | b"MEST" | b"MESZ" | b"SAST" => &[120],
        b"EAT" | b"EEST" | b"IDT" | b"MSK" | b"TRT" => &[180],
        b"IRST" => &[210],
        b"MSD" | b"SAMT" => &[240],
        b"PKT" | b"YEKT" => &[300],
        b"NPT" => &[345],
        b"OMST" => &[360],
        b"KRAT" | b"NOVT" | b"WIB" => &[420],
        b"AWST" | b"HKT" | b"IRKT" | b"MYT" | b"PHT" | b"SGT" | b"WITA" => &[480],
        b"JST" | b"KST" | b"WIT" => &[540],
        b"ACST" => &[570],
        b"AEST" | b"VLAT" => &[600],
        b"ACDT" => &[630],
        b"AEDT" | b"MAGT" => &[660],
        b"NZST" => &[720],
        b"NZDT" => &[780],
        b"PST" => &[-480, 480],
        b"CST" => &[-360, 480, -300],
        b"CDT" => &[-300, -240],
        b"AST" => &[-240, 180],
        b"BST" => &[60, 360, 660],
        b"GST" => &[240, 600],
        b"IST" => &[330, 120, 60],
        _ => return None,
    })
}

/// Names of the months from January on: what follows the bar may be cut off; English is first, which
/// decides what several languages write. Sources: CLDR and glibc (en, de, fr, es, pt, it, nl, sv, da, nb, pl, cs, id, tr, fi,
/// hu, ru).
const MONTHS: [&str; 12] = [
    "jan|uary jan|uar jan|uari jan|vier janv ene|ro jan|eiro gen|naio sty|cznia jän|ner oca|k led|na tammi|kuuta янв|аря",
    "feb|ruary feb|ruar feb|ruari fév|rier févr fev|rier fevr feb|rero fev|ereiro feb|braio lut|ego peb|ruari şub|at Şub|at úno|ra helmi|kuuta фев|раля",
    "mar|ch mär|z mrz mar|s mar|zo mar|ço maart mrt mar|et mar|ca mar|t mar|ts bře|zna maalis|kuuta márc|ius мар|та",
    "apr|il avr|il abr|il apr|ile kwi|etnia nis|an dub|na huhti|kuuta ápr|ilis апр|еля",
    "may mai may|o mai|o mag|gio mei maj maj|a may|ıs kvě|tna touko|kuuta máj|us мая май",
    "jun|e jun|i juin jun|io jun|ho giu|gno cze|rwca haz|iran čer|vna kesä|kuuta jún|ius июн|я",
    "jul|y jul|i juil|let jul|io jul|ho lug|lio lip|ca tem|muz čvc heinä|kuuta júl|ius июл|я",
    "aug|ust aoû|t aou|t ago|sto aug|ustus aug|usti sie|rpnia agu|stus agt ağu|stos srp|na elo|kuuta авг|уста",
    "sep|tember sept sep|tembre sept|iembre set|embro set|tembre wrz|eśnia eyl|ül zář|í syys|kuuta szept|ember сен|тября",
    "oct|ober okt|ober oct|obre oct|ubre out|ubro ott|obre paź|dziernika eki|m říj|na loka|kuuta окт|ября",
    "nov|ember nov|embre nov|iembre nov|embro lis|topada kas|ım marras|kuuta ноя|бря",
    "dec|ember dez|ember déc|embre dec|embre dic|iembre dez|embro dic|embre des|ember gru|dnia ara|lık pro|since joulu|kuuta дек|абря",
];

/// One bit for what the first three bytes of each name hash to: most words are told apart from months by it.
static STARTS: [u64; 16] = starts();

const fn starts() -> [u64; 16] {
    let (mut bits, mut month) = ([0; 16], 0);
    while month < MONTHS.len() {
        let names = MONTHS[month].as_bytes();
        let mut at = 0;
        while at + 2 < names.len() {
            if at == 0 || names[at - 1] == b' ' {
                let hash = hash_of(names[at], names[at + 1], names[at + 2]);
                bits[hash / 64] |= 1 << (hash % 64);
            }
            at += 1;
        }
        month += 1;
    }
    bits
}

/// The same for letters of either case.
const fn hash_of(first: u8, second: u8, third: u8) -> usize {
    ((first | 0x20) as usize * 37 + (second | 0x20) as usize * 11 + (third | 0x20) as usize) % 1024
}

/// Longest name of a month in bytes, `października` in UTF-8.
const MONTH_BYTES_MAX: usize = 18;

/// The month whose name begins at `at`, short or in full, and where the text goes on behind a point.
pub(super) fn month_at(b: &[u8], at: usize) -> Option<(u32, usize)> {
    let start: &[u8; 3] = b.get(at..)?.first_chunk()?;
    let hash = hash_of(start[0], start[1], start[2]);
    if STARTS[hash / 64] & 1 << (hash % 64) == 0 {
        return None;
    }
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    if !b.get(at + 3).is_some_and(|next| is_letter(next) || *next == b'.')
        && let Some(month) = short_month(start)
    {
        return Some((month, at + 3));
    }
    let length = b[at..].iter().take(MONTH_BYTES_MAX + 1).take_while(|byte| is_letter(byte)).count();
    let end = at + length + usize::from(b.get(at + length) == Some(&b'.'));
    // A number comes next, so that words are told from months before they are looked up.
    let is_followed = matches!(b.get(end), Some(b' ' | b'-' | b'/' | b':' | b',' | b'\t'))
        && b[end..].iter().take(4).any(|byte| byte.is_ascii_digit());
    if !is_followed || length < 3 {
        return None;
    }
    let mut word = [0; MONTH_BYTES_MAX + 1];
    word[..length].copy_from_slice(&b[at..at + length]);
    word.make_ascii_lowercase();
    let place = MONTHS_BY_NAME.get(&word[..length])?;
    Some((*place, end))
}

/// Months by their names in small letters, short and in full.
static MONTHS_BY_NAME: LazyLock<HashMap<Vec<u8>, u32>> = LazyLock::new(|| {
    let mut by_name = HashMap::new();
    for (names, month) in MONTHS.iter().zip(1..) {
        for name in names.split(' ') {
            let (short, rest) = name.split_once('|').unwrap_or((name, ""));
            for spelled in [short.to_owned(), format!("{short}{rest}")] {
                by_name.entry(spelled.to_ascii_lowercase().into_bytes()).or_insert(month);
            }
        }
    }
    by_name
});

/// Returns the month of an English name of three letters.
pub(crate) fn short_month(name: &[u8; 3]) -> Option<u32> {
    Some(match name {
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
        _ => return None,
    })
}

/// The end of a day of the week in English, short or in full, with its comma and blanks.
pub(super) fn weekday_end(b: &[u8], at: usize) -> Option<usize> {
    let rest: &[u8] = match b.get(at..at + 3)? {
        b"Mon" | b"Fri" | b"Sun" => b"day",
        b"Tue" => b"sday",
        b"Wed" => b"nesday",
        b"Thu" => b"rsday",
        b"Sat" => b"urday",
        _ => return None,
    };
    let mut end = at + 3 + if b[at + 3..].starts_with(rest) { rest.len() } else { 0 };
    end += usize::from(matches!(b.get(end), Some(b',' | b'.')));
    let n_blanks = b[end..].iter().take(3).take_while(|byte| **byte == b' ').count();
    (n_blanks > 0).then_some(end + n_blanks)
}
