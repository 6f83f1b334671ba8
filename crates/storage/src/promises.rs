//! Tests that are the same for every kind of database.

/// Makes a test of each promise that whatever keeps a store's tables must keep. A promise is a function of the module
/// that calls this; it takes what opens one and the same database again and again. SQLite is tried here, by the module's
/// `of_file`; for other databases there is the list `PROMISES`.
macro_rules! promises {
    ($($promise:ident),* $(,)?) => {
        mod sqlite_keeps {
            $(
                #[test]
                fn $promise() {
                    let dir = tempfile::tempdir().expect("a scratch directory");
                    super::$promise(&|| super::of_file(&dir.path().join("tables.sqlite")));
                }
            )*
        }

        const PROMISES: &[(&str, fn(Open<'_>))] = &[$((stringify!($promise), $promise)),*];
    };
}
pub(crate) use promises;
