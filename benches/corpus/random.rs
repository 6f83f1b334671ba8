//! Repeatable randomness: SplitMix64 and the few distributions that logs need.
//!
//! Good enough for made-up logs and the same on every machine; not for secrets.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): one word of state, every seed is a good one.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// A stream of its own for every list of numbers.
    pub(crate) fn of(seeds: &[u64]) -> Random {
        let mut random = Random { state: 0x5eed };
        for &seed in seeds {
            random.state = random.next().wrapping_add(seed);
        }
        random
    }

    /// 64 uniform bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..bound`; the bias of the remainder is far below what any test here could see.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of `values`.
    pub(crate) fn of_slice<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.below(values.len() as u64) as usize]
    }

    /// One of `words`.
    pub(crate) fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }

    /// Log-normal with the given mean and deviation of the logarithm (Box and Muller).
    pub(crate) fn log_normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        (mean + deviation * normal).exp()
    }
}

/// A discrete distribution over `0..n`, most likely first.
pub(crate) struct Distribution {
    cumulative: Vec<f64>,
}

impl Distribution {
    /// Zipf's law with exponent `s`.
    pub(crate) fn zipf(n: usize, s: f64) -> Distribution {
        Distribution::of_weights((1..=n).map(|rank| (rank as f64).powf(-s)))
    }

    /// Proportional to `weights`.
    pub(crate) fn of_weights(weights: impl IntoIterator<Item = f64>) -> Distribution {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = weights
            .into_iter()
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        cumulative.iter_mut().for_each(|value| *value /= sum);
        Distribution { cumulative }
    }

    /// The first `rank` values together have `share`, for every given (rank, share); between them the share
    /// grows with the logarithm of the rank.
    pub(crate) fn through(n: usize, points: &[(usize, f64)]) -> Distribution {
        let share_at = |rank: usize| {
            let (mut low, mut high) = ((1usize, points[0].1), (n, 1.0));
            for &point in points {
                if point.0 <= rank {
                    low = point;
                } else {
                    high = point;
                    break;
                }
            }
            if rank <= low.0 || high.0 <= low.0 {
                return low.1;
            }
            let step = (rank as f64 / low.0 as f64).ln() / (high.0 as f64 / low.0 as f64).ln();
            low.1 + (high.1 - low.1) * step
        };
        let shares: Vec<f64> = (1..=n).map(|rank| if rank == n { 1.0 } else { share_at(rank) }).collect();
        Distribution { cumulative: shares }
    }

    /// Draws one.
    pub(crate) fn pick(&self, random: &mut Random) -> usize {
        let share = random.unit();
        self.cumulative.partition_point(|&passed| passed <= share).min(self.cumulative.len() - 1)
    }

    /// The probability of value `idx`.
    pub(crate) fn weight(&self, idx: usize) -> f64 {
        self.cumulative[idx] - if idx == 0 { 0.0 } else { self.cumulative[idx - 1] }
    }
}
