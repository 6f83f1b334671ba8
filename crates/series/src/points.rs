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
mod tests {
    use super::*;

    #[test]
    fn of_samples_of_one_time_the_first_to_arrive_counts() {
        let point = |time, value, arrived| Point { time, value, arrived: (arrived, 0) };
        let mut points = vec![point(2, 5.0, 9), point(1, 1.0, 3), point(2, 4.0, 7), point(1, 1.0, 3)];
        in_order(&mut points);
        assert_eq!(points, [point(1, 1.0, 3), point(2, 4.0, 7)]);
        let of_request = |value: f64, place| Point { time: 1, value, arrived: (3, place) };
        let mut together = vec![of_request(1.0, 12), of_request(3.0, 10), of_request(2.0, 11)];
        in_order(&mut together);
        assert_eq!(together, [of_request(3.0, 10)]);
        let histograms = vec![point(1, 6.0, 2), point(2, 7.0, 8), point(3, 8.0, 1)];
        assert_eq!(apart(points, histograms), ((vec![2], vec![4.0]), (vec![1, 3], vec![6.0, 8.0])));
    }
}
