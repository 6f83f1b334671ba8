//! Texts of several dictionaries.

use super::*;

fn dictionary(pool: &TextPool, texts: std::ops::Range<usize>) -> Vec<Value> {
    let mut values: Vec<Value> = texts.map(|n| Value::text(format!("series {n}"))).collect();
    pool.share(&mut values, usize::MAX);
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
fn texts_are_counted_and_go_once_nobody_has_them() {
    let pool = TextPool::default();
    let kept = dictionary(&pool, 0..2_000);
    let n_kept = pool.n_bytes();
    drop(dictionary(&pool, 0..10_000));
    let n_all = pool.n_bytes();
    assert!(n_all > 4 * n_kept, "{n_kept} {n_all}");
    assert_eq!((pool.sweep(), pool.n_bytes()), (n_all - n_kept, n_kept));
    assert!(kept.iter().zip(&dictionary(&pool, 0..2_000)).all(|(a, b)| is_shared(a, b)));
}

#[test]
fn a_full_pool_leaves_dictionaries_their_texts() {
    let pool = TextPool::default();
    let mut values: Vec<Value> = (0..3_000).map(|n| Value::text(format!("series {n}"))).collect();
    assert_eq!(pool.share(&mut values, 0), (3_000 * 32, 0));
    assert_eq!(pool.n_bytes(), 0);
}
