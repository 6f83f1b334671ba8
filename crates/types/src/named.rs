//! Enums whose variants have names.

/// Defines an enum with the name of each variant beside it, as answers, documents and texts have it; and all of them as `ALL`.
///
/// ```
/// types::named! {
///     /// How a span ended.
///     #[derive(Clone, Copy)]
///     pub enum Status {
///         /// Well.
///         Fine = "ok",
///         /// Not well.
///         Failed = "error",
///     }
/// }
///
/// assert_eq!(Status::Failed.name(), "error");
/// assert!(matches!(Status::named("error"), Some(Status::Failed)));
/// ```
#[macro_export]
macro_rules! named {
    ($(#[$of_type:meta])* $visibility:vis enum $type:ident {
        $($(#[$of_variant:meta])* $variant:ident = $name:literal,)+
    }) => {
        $(#[$of_type])*
        $visibility enum $type {
            $($(#[$of_variant])* $variant,)+
        }

        impl $type {
            /// All of them.
            #[allow(dead_code, reason = "some are only asked for their names")]
            $visibility const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Returns the name.
            $visibility fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Returns the one of a name.
            #[allow(dead_code, reason = "some are only asked for their names")]
            $visibility fn named(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.name() == name)
            }
        }
    };
}
