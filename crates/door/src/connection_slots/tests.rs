//! Slots of two kinds of connections.

use super::*;

fn all(places: &ConnectionSlots) -> Vec<OwnedSemaphorePermit> {
    std::iter::from_fn(|| places.take()).collect()
}

#[test]
fn one_kind_may_have_what_the_other_does_not_need_but_for_an_eighth() {
    for (n_files, n_own, n_common) in [(0, 16, 0), (256, 32, 128), (20_000, 2_500, 10_000)] {
        let (http, syslog) = ConnectionSlots::of_files(n_files);
        let mut of_syslog = all(&syslog);
        assert_eq!((of_syslog.len(), syslog.n_max), (n_own + n_common, n_own + n_common));
        assert!(syslog.shared().take().is_none());
        assert_eq!(all(&http).len(), n_own);
        of_syslog.clear();
        assert_eq!(all(&http).len(), n_own + n_common);
    }
    assert_eq!(ConnectionSlots::of_files(usize::MAX).0.n_max, OWN_MAX + COMMON_MAX);
}
