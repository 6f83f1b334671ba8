//! Conditions without which a function fails.

/// Returns an error from the function around it unless a condition holds. The error is only made then.
///
/// ```
/// fn half(number: u32) -> Result<u32, String> {
///     types::ensure!(number % 2 == 0, format!("{number} is odd"));
///     Ok(number / 2)
/// }
///
/// assert_eq!(half(4), Ok(2));
/// assert_eq!(half(3), Err("3 is odd".to_owned()));
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $error:expr $(,)?) => {
        if !$condition {
            return Err($error);
        }
    };
}
