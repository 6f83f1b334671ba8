//! Runs that share ids, the ends of pages, and damage.

use proptest::prelude::*;

use super::*;

/// A section with the ids of these numbers, and bytes in the place of codes.
fn section_of(ids: impl Iterator<Item = u64>) -> Vec<u8> {
    let ids: Vec<u64> = ids.collect();
    let mut out = vec![DICTIONARY];
    put_varint(&mut out, ids.len() as u64);
    out.extend([TEXTS, PACKED, 16]);
    ids.into_iter().for_each(|id| out.extend_from_slice(&(u128::from(id) << 64 | 7).to_le_bytes()));
    out.extend([1, 2, 3]);
    out
}

/// Returns the pages by their section numbers.
fn pages(shared: &SharedIds, named: &[SectionId]) -> Vec<Vec<u8>> {
    let of_length = &shared.of_lengths[0];
    let number = |section: &SectionId| of_length.pages.iter().position(|page| page.section == *section);
    named.iter().map(|section| of_length.page(number(section).expect("a page"))).collect()
}

#[test]
fn runs_with_the_same_ids_have_them_once() {
    let mut sections = SectionWriter::new(1).expect("memory");
    let mut shared = SharedIds::default();
    sections.reserve(5);
    let runs = [section_of(0..9000), section_of((0..9000).rev()), section_of(8900..9100)];
    let stored: Vec<Vec<u8>> = runs.iter().map(|run| shared.shorten(run, &mut sections).expect("enough ids")).collect();
    for (stored, run) in stored.iter().zip(&runs) {
        let named = pages_of(stored).expect("just written");
        assert_eq!(restore(stored, &pages(&shared, &named)).as_ref(), Ok(run));
    }
    assert_eq!(pages_of(&stored[0]), Ok(vec![5, 6]));
    // All of the last are in the second page.
    assert_eq!(pages_of(&stored[2]), Ok(vec![6]));
    assert_eq!(shared.of_lengths[0].places.len(), 9100);
    assert!(stored[1].len() < 2 * 9000 + 20);
}

#[test]
fn what_has_no_ids_or_few_stays_as_it_is() {
    let mut sections = SectionWriter::new(1).expect("memory");
    let mut shared = SharedIds::default();
    assert_eq!(shared.shorten(&section_of(0..31), &mut sections), None);
    assert_eq!(shared.shorten(&[2, 0, 1, 1, 2], &mut sections), None);
    assert_eq!(shared.shorten(&[DICTIONARY, 200, 1, TEXTS, 0, 1, 1, 2], &mut sections), None);
    assert!(!shared.is_used());
}

#[test]
fn pages_end_where_no_run_has_the_ids_of_another() {
    let mut sections = SectionWriter::new(1).expect("memory");
    let mut shared = SharedIds::default();
    let run = |number: u64| section_of(number * 4096..(number + 1) * 4096);
    let n_shared = (0..20).filter(|number| shared.shorten(&run(*number), &mut sections).is_some()).count();
    assert_eq!(n_shared, 1 + ASKED_MIN / 4096);
}

proptest! {
    #[test]
    fn damaged_sections_never_panic(
        mut section in prop::collection::vec(0u8..20, 1..60), page in prop::collection::vec(0u8..20, 0..60), n_pages in 0usize..3,
    ) {
        section[0] = SHARED_IDS;
        let _ = (pages_of(&section), restore(&section, &vec![page; n_pages]));
    }
}
