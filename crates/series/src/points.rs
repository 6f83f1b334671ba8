//! Samples one by one, with the times of their arrival.

/// A sample of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point<V> {
    pub(crate) time: i64,
    pub(crate) value: V,
    /// When it arrived, in ns since the epoch, and its place in the order of acceptance, which tells samples of one request apart.
    pub(crate) arrived: (i64, u64),
}

/// Sorts samples by time; reports whether there are several of the same time that are not the same.
pub(crate) fn sort_finds_others<V>(points: &mut [Point<V>], is_same: impl Fn(&V, &V) -> bool) -> bool {
    if !points.is_sorted_by_key(|point| point.time) {
        points.sort_by_key(|point| point.time);
    }
    points.windows(2).any(|pair| pair[0].time == pair[1].time && !is_same(&pair[0].value, &pair[1].value))
}

/// Brings samples into the order of time. Of several samples of one time the first to arrive counts, as in Prometheus.
pub(crate) fn in_order<V>(points: &mut Vec<Point<V>>) {
    let key = |point: &Point<V>| (point.time, point.arrived);
    if !points.is_sorted_by_key(key) {
        points.sort_unstable_by_key(key);
    }
    points.dedup_by_key(|point| point.time);
}

/// Times of samples, and their values.
pub(crate) type Timed<V> = (Vec<i64>, Vec<V>);

/// Returns times and values of the floats, and of the histograms. Of a float and a histogram of one time the first to arrive counts.
pub(crate) fn apart<F, H>(mut floats: Vec<Point<F>>, mut histograms: Vec<Point<H>>) -> (Timed<F>, Timed<H>) {
    if !floats.is_empty() && !histograms.is_empty() {
        let twin = |time| histograms.binary_search_by_key(&time, |point| point.time).ok().map(|at| &histograms[at]);
        floats.retain(|point| twin(point.time).is_none_or(|twin| point.arrived <= twin.arrived));
        histograms.retain(|point| floats.binary_search_by_key(&point.time, |point| point.time).is_err());
    }
    let floats = floats.into_iter().map(|point| (point.time, point.value)).unzip();
    (floats, histograms.into_iter().map(|point| (point.time, point.value)).unzip())
}

#[cfg(test)]
mod tests;
