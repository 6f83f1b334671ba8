//! How often each byte occurs.

/// Tables that are counted in, turn by turn: a byte that occurs several times in a row would wait each time for the count
/// before, which is on its way to memory.
const N_TABLES: usize = 4;

/// Bytes from which on several tables pay.
const SEVERAL_FROM: usize = 512;

/// Returns how often each byte occurs.
pub(super) fn byte_counts(bytes: &[u8]) -> [u32; 256] {
    if bytes.len() < SEVERAL_FROM {
        let mut counts = [0; 256];
        bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        return counts;
    }
    let mut tables = [[0u32; 256]; N_TABLES];
    let (turns, rest) = bytes.as_chunks::<N_TABLES>();
    for turn in turns {
        for (table, byte) in tables.iter_mut().zip(turn) {
            let count = &mut table[usize::from(*byte)];
            *count = count.wrapping_add(1);
        }
    }
    let [mut counts, others @ ..] = tables;
    rest.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    for table in others {
        counts.iter_mut().zip(table).for_each(|(count, more)| *count = count.wrapping_add(more));
    }
    counts
}

#[cfg(test)]
mod tests;
