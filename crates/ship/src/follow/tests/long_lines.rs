//! Lines up to the limit and beyond.

use super::*;

#[test]
fn long_lines_are_kept_whole_up_to_the_limit_and_cut_between_characters_beyond() {
    let mut bench = Bench::new(&[]);
    let whole = "w".repeat(5_000);
    let too_long = "é".repeat(20_001);
    bench.append("a.log", &format!("{whole}\nx{too_long}\nnext\n"));
    let mut options = bench.options();
    (options.batch_bytes, options.line_bytes_max) = (1_000, 8_000);
    bench.start_with(options);
    bench.run(3_000);
    assert_eq!(bench.events[0], whole);
    assert_eq!(bench.events.last().unwrap(), "next");
    let rest: String = bench.events[1..bench.events.len() - 1].concat();
    assert_eq!(rest, format!("x{too_long}"));
}

#[test]
fn of_long_lines_one_at_a_time_is_in_memory_and_each_file_has_its_turn() {
    let mut bench = Bench::new(&[]);
    let names = ["a.log", "b.log", "c.log"];
    names
        .iter()
        .for_each(|name| bench.append(name, &format!("{}\nlast\n", "x".repeat(lines::PIECE_BYTES + (17 << 20)))));
    bench.append("short.log", "one\ntwo\n");
    bench.start();
    let (mut turns, mut n_short) = (Vec::new(), 0);
    while turns.len() < 3 * 5 {
        let batches = bench.poll();
        let (large, mut small): (Vec<_>, Vec<_>) = batches.into_iter().partition(is_large);
        assert!(large.len() <= 1, "{}", large.len());
        assert!(large.iter().all(|batch| batch.bytes.capacity() <= 2 * lines::PIECE_BYTES));
        for batch in large {
            let meanwhile = bench.poll();
            assert!(!meanwhile.iter().any(is_large));
            small.extend(meanwhile);
            turns.push((batch.header.path.clone(), batch.header.start));
            bench.deliver(&batch);
        }
        n_short += small.iter().filter(|batch| batch.header.path.ends_with("short.log")).count();
        small.iter().for_each(|batch| bench.deliver(batch));
        bench.now.0 += 50 * MS;
    }
    assert_eq!(n_short, 1);
    let of_first_rounds: std::collections::BTreeSet<_> = turns.iter().take(3).map(|(path, _)| path).collect();
    assert_eq!(of_first_rounds.len(), 3, "{turns:?}");
    assert!(turns.iter().all(|(_, start)| start % lines::PIECE_BYTES as u64 == 0), "{turns:?}");
}
