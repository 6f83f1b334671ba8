//! Texts of several dictionaries.

use super::*;

fn dictionary(pool: &TextPool, texts: std::ops::Range<usize>) -> Vec<Value> {
    let mut values: Vec<Value> = texts.map(|n| Value::text(format!("series {n}"))).collect();
    pool.share(&mut values);
    values
}

fn is_shared(a: &Value, b: &Value) -> bool {
    matches!((a, b), (Value::String(a), Value::String(b)) if Arc::ptr_eq(a, b))
}

#[test]
fn equal_texts_of_large_dictionaries_are_one() {
    let pool = TextPool::default();
    let (one, other) = (dictionary(&pool, 0..3_000), dictionary(&pool, 1_000..4_000));
    assert!((0..2_000).all(|n| is_shared(&one[n + 1_000], &other[n])));
    assert_eq!(other[2_999], Value::text("series 3999"));
    let small = dictionary(&pool, 0..10);
    assert!(!is_shared(&one[0], &small[0]));
}

#[test]
fn unused_texts_are_removed() {
    let pool = TextPool::default();
    let kept = dictionary(&pool, 0..2_000);
    for n in 1..20 {
        dictionary(&pool, n * 50_000..(n + 1) * 50_000);
        let n_known = pool.0.lock().unwrap_or_else(PoisonError::into_inner).texts.len();
        assert!(n_known < 3 * SWEPT_FROM, "{n_known}");
    }
    assert!(kept.iter().zip(&dictionary(&pool, 0..2_000)).all(|(a, b)| is_shared(a, b)));
}
