//! Search in order.

/// Returns how many items at the beginning are before a place that is not far as a rule: what is far costs twice as many steps
/// as a bisection. All items before the place come first.
pub fn n_before<T>(items: &[T], is_before: impl Fn(&T) -> bool) -> usize {
    let (mut low, mut step) = (0, 1);
    while items.get(low + step - 1).is_some_and(&is_before) {
        low += step;
        step *= 2;
    }
    let high = (low + step).min(items.len());
    low + items[low..high].partition_point(is_before)
}

#[cfg(test)]
mod tests;
