//! *Integers*: zigzag least value, one byte width `w` (0–8), then `w` planes of `n` bytes: plane `p` holds byte `p` of
//! `value − least`, row after row. Planes put bytes that behave alike side by side for zstd.

use std::ops::Range;

use super::{Cursor, Damage, Decoded, put_whole};
use crate::RowSet;

/// Writes `values` as *integers*; the reader must know how many there are.
pub fn put_integers(out: &mut Vec<u8>, values: &[i64]) {
    let least = values.iter().copied().min().unwrap_or(0);
    let spread = values.iter().map(|value| value.wrapping_sub(least) as u64).max().unwrap_or(0);
    let width = (64 - spread.leading_zeros()).div_ceil(8) as usize;
    put_whole(least, out);
    out.push(width as u8);
    out.reserve(values.len() * width);
    for plane in 0..width {
        out.extend(values.iter().map(|value| (value.wrapping_sub(least) as u64 >> (8 * plane)) as u8));
    }
}

/// Writes `codes` as *integers*, from half the memory.
pub fn put_codes(out: &mut Vec<u8>, codes: &[u32]) {
    let least = codes.iter().copied().min().unwrap_or(0);
    let spread = codes.iter().copied().max().unwrap_or(0) - least;
    let width = (32 - spread.leading_zeros()).div_ceil(8);
    put_whole(i64::from(least), out);
    out.push(width as u8);
    for plane in 0..width {
        out.extend(codes.iter().map(|code| ((code - least) >> (8 * plane)) as u8));
    }
}

/// *Integers* as they are stored.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    least: i64,
    n: usize,
    planes: &'a [u8],
}

impl Packed<'_> {
    /// Returns the number at a place.
    #[inline]
    pub fn get(&self, place: usize) -> Decoded<i64> {
        crate::ensure!(place < self.n, Damage("a place is out of range"));
        let bytes = self.planes.iter().skip(place).step_by(self.n);
        let value: u64 = bytes.enumerate().map(|(plane, byte)| u64::from(*byte) << (8 * plane)).sum();
        Ok(self.least.wrapping_add(value as i64))
    }

    /// Appends the numbers at some places.
    #[inline]
    pub fn read(&self, places: Range<usize>, values: &mut Vec<i64>) -> Decoded<()> {
        crate::ensure!(places.end <= self.n && places.start <= places.end, Damage("a place is out of range"));
        let from = values.len();
        values.resize(from + places.len(), self.least);
        for (plane, bytes) in self.planes.chunks_exact(self.n.max(1)).enumerate() {
            for (value, byte) in values[from..].iter_mut().zip(&bytes[places.clone()]) {
                *value = value.wrapping_add((u64::from(*byte) << (8 * plane)) as i64);
            }
        }
        Ok(())
    }
}

impl<'a> Cursor<'a> {
    /// Reads `n` *integers*.
    pub fn integers(&mut self, n: usize) -> Decoded<Vec<i64>> {
        let mut values = Vec::new();
        self.packed(n)?.read(0..n, &mut values)?;
        Ok(values)
    }

    /// Passes over `n` *integers* and returns those at `places`, a set over all of them.
    pub fn integers_at(&mut self, n: usize, places: &RowSet) -> Decoded<Vec<i64>> {
        let packed = self.packed(n)?;
        places.iter().take_while(|place| *place < n).map(|place| packed.get(place)).collect()
    }

    /// Passes over `n` *integers*.
    pub fn skip_integers(&mut self, n: usize) -> Decoded<()> {
        self.packed(n).map(drop)
    }

    /// Skips `n` *integers* and returns a view that reads any of them.
    pub fn packed(&mut self, n: usize) -> Decoded<Packed<'a>> {
        let least = self.zigzag()?;
        let width = usize::from(self.byte()?);
        crate::ensure!(width <= 8, Damage("a number is wider than 8 bytes"));
        let planes = self.take(n.checked_mul(width).ok_or(Damage("a count is out of range"))?)?;
        Ok(Packed { least, n, planes })
    }

    /// Takes all that is left as *integers*, however many they are, and returns a view that reads any of them.
    pub fn packed_to_end(&mut self) -> Decoded<Packed<'a>> {
        let least = self.zigzag()?;
        let width = usize::from(self.byte()?);
        let planes = self.take(self.n_left())?;
        // Without a plane any number of them are the least.
        let n = planes.len().checked_div(width).unwrap_or(usize::MAX);
        if width > 8 || n.checked_mul(width).is_some_and(|n_bytes| n_bytes != planes.len()) {
            return Err(Damage("bytes are left over"));
        }
        Ok(Packed { least, n, planes })
    }

    /// Reads `n` *integers* that are codes below 2^32.
    pub fn codes(&mut self, n: usize) -> Decoded<Vec<u32>> {
        let mut ahead = self.clone();
        // One-byte and two-byte codes from 0 are by far the most frequent: read them without widening to 64 bits.
        let (least, width) = (ahead.zigzag()?, ahead.byte()?);
        if least == 0 && width == 1 {
            *self = ahead;
            return Ok(self.take(n)?.iter().map(|byte| u32::from(*byte)).collect());
        }
        if least == 0 && width == 2 {
            *self = ahead;
            let (low, high) = self.take(n.checked_mul(2).ok_or(Damage("a count is out of range"))?)?.split_at(n);
            return Ok(low.iter().zip(high).map(|(low, high)| u32::from(u16::from_le_bytes([*low, *high]))).collect());
        }
        if width <= 4 {
            *self = ahead;
            return self.narrow_codes(n, least, usize::from(width));
        }
        let values = self.integers(n)?;
        values.into_iter().map(|value| u32::try_from(value).map_err(|_| Damage("a code is out of range"))).collect()
    }

    /// Returns the code that all of some codes are, where they are stored as one; nothing is read on.
    pub fn only_code(&self) -> Decoded<Option<u32>> {
        let mut ahead = self.clone();
        let (least, width) = (ahead.zigzag()?, ahead.byte()?);
        Ok(if width == 0 { u32::try_from(least).ok() } else { None })
    }

    /// Reads `width` planes, at most four, of codes beyond `least`.
    fn narrow_codes(&mut self, n: usize, least: i64, width: usize) -> Decoded<Vec<u32>> {
        let planes = self.take(n.checked_mul(width).ok_or(Damage("a count is out of range"))?)?;
        let mut values = vec![0u32; n];
        for (plane, bytes) in planes.chunks_exact(n.max(1)).enumerate() {
            for (value, byte) in values.iter_mut().zip(bytes) {
                *value |= u32::from(*byte) << (8 * plane);
            }
        }
        if n > 0 {
            let least = u32::try_from(least).map_err(|_| Damage("a code is out of range"))?;
            let most = values.iter().copied().max().unwrap_or(0);
            most.checked_add(least).ok_or(Damage("a code is out of range"))?;
            values.iter_mut().for_each(|value| *value += least);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests;
