//! Texts between tags.

use super::*;

#[test]
fn a_text_is_no_markup_and_hides_nothing() {
    assert_eq!(escaped("<b a='\"'>&\n"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\n");
    assert_eq!(escaped("a\u{1b}[31m\u{202e}b\u{85}"), "a␛[31m[U+202E]b[U+85]");
    assert_eq!(line("a\nb"), "a ↵ b");
}
