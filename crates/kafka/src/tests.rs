//! What a broker sends, made by hand: batches of all compressions, transactions, and what is broken.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};

use crate::assignment::{assigned, range, subscription};
use crate::records::{Message, read};
use crate::scram::{Hash, Scram, is_proven};
use crate::{Address, Error};

fn record(offset: i64, value: &str) -> Record {
    Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        timestamp_type: TimestampType::Creation,
        offset,
        sequence: NO_SEQUENCE,
        timestamp: 1_000 + offset,
        key: None,
        value: Some(Bytes::from(value.to_owned())),
        headers: Default::default(),
    }
}

/// Packs the records of a batch.
type Pack<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

fn packed(records: &[Record], compression: Compression, pack: Pack<'_>) -> Bytes {
    let mut bytes = BytesMut::new();
    let pack = |from: &mut BytesMut, to: &mut BytesMut, _: Compression| {
        to.put_slice(&pack(from));
        Ok(())
    };
    let options = RecordEncodeOptions { version: 2, compression };
    RecordBatchEncoder::encode_with_custom_compression(&mut bytes, records.iter(), &options, Some(pack))
        .expect("a batch");
    bytes.freeze()
}

fn plain(records: &[Record]) -> Bytes {
    packed(records, Compression::None, &<[u8]>::to_vec)
}

fn values(messages: &[Message]) -> Vec<(i64, &str)> {
    messages.iter().map(|message| (message.offset, std::str::from_utf8(&message.value).expect("text"))).collect()
}

#[test]
fn batches_of_all_compressions_are_read() {
    let records = [record(5, "one"), record(6, "two"), record(7, "three")];
    let snappy = |bytes: &[u8]| snap::raw::Encoder::new().compress_vec(bytes).expect("it fits");
    // As Java's library writes it: a header, and blocks with their lengths.
    let blocks = |bytes: &[u8]| {
        let mut all = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
        for block in bytes.chunks(11).map(snappy) {
            all.put_u32(block.len() as u32);
            all.extend(block);
        }
        all
    };
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).and_then(|()| encoder.finish()).expect("memory takes it")
    };
    let lz4 = |bytes: &[u8]| {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        std::io::Write::write_all(&mut encoder, bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    };
    let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).expect("memory takes it");
    let all: [(Compression, Pack<'_>); 6] = [
        (Compression::None, &<[u8]>::to_vec),
        (Compression::Gzip, &gzip),
        (Compression::Snappy, &snappy),
        (Compression::Snappy, &blocks),
        (Compression::Lz4, &lz4),
        (Compression::Zstd, &zstd),
    ];
    for (compression, pack) in all {
        // A broker sends whole batches, also from the middle of one.
        let messages = read(packed(&records, compression, pack), 6, Vec::new());
        assert_eq!(values(&messages.messages), [(6, "two"), (7, "three")], "{compression:?}");
        assert_eq!((messages.next, messages.problem), (Some(8), None));
    }
}

#[test]
fn what_is_cut_off_comes_again_and_what_is_broken_is_named() {
    let (first, second) = (plain(&[record(0, "one")]), plain(&[record(1, "two")]));
    let both = [&first[..], &second].concat();
    for cut in first.len()..both.len() {
        let messages = read(Bytes::from(both[..cut].to_vec()), 0, Vec::new());
        assert_eq!((values(&messages.messages), messages.next), (vec![(0, "one")], Some(1)), "{cut}");
        assert_eq!(messages.problem, None);
    }
    let mut broken = both.clone();
    *broken.last_mut().expect("a byte") ^= 1;
    let messages = read(Bytes::from(broken), 0, Vec::new());
    assert_eq!(values(&messages.messages), [(0, "one")]);
    let (from, to, problem) = messages.problem.expect("it is broken");
    assert!((from, to) == (1, 2) && problem.contains("redundancy check"), "{problem}");
    // No byte may end the process, wherever it is.
    for place in 0..first.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = first.to_vec();
            bytes[place] = value;
            drop(read(Bytes::from(bytes), 0, Vec::new()));
        }
    }
}

#[test]
fn a_batch_that_unfolds_to_too_much_is_named() {
    let zeros = zstd::bulk::compress(&vec![0; 300 << 20], 1).expect("memory takes it");
    let batch = packed(&[record(3, "one")], Compression::Zstd, &|_| zeros.clone());
    let (from, to, _) = read(batch, 3, Vec::new()).problem.expect("it is too large");
    assert_eq!((from, to), (3, 4));
}

#[test]
fn transactions_that_were_given_up_do_not_count() {
    let of_transaction =
        |offset, value, producer_id| Record { transactional: true, producer_id, ..record(offset, value) };
    // The key of a marker: version 0, and 0 for given up or 1 for committed.
    let marker = |offset, producer_id, kind: u8| {
        let key = Some(Bytes::from(vec![0, 0, 0, kind]));
        Record { control: true, key, ..of_transaction(offset, "", producer_id) }
    };
    let batches = [
        plain(&[of_transaction(0, "given up", 7)]),
        plain(&[of_transaction(1, "committed", 8)]),
        plain(&[record(2, "of no transaction")]),
        plain(&[marker(3, 7, 0)]),
        plain(&[of_transaction(4, "the next one of 7", 7)]),
        plain(&[marker(5, 8, 1)]),
        plain(&[marker(6, 7, 1)]),
    ];
    let aborted = AbortedTransaction::default().with_producer_id(7.into()).with_first_offset(0);
    let messages = read(Bytes::from(batches.concat()), 0, vec![aborted]);
    assert_eq!(values(&messages.messages), [(1, "committed"), (2, "of no transaction"), (4, "the next one of 7")]);
    assert_eq!(messages.next, Some(7));
}

#[test]
fn deleted_keys_are_no_messages_and_the_last_offset_counts() {
    let messages = read(plain(&[record(0, "one"), Record { value: None, ..record(1, "") }]), 0, Vec::new());
    assert_eq!((values(&messages.messages), messages.next), (vec![(0, "one")], Some(2)));
    assert_eq!(messages.messages[0].time_ms, Some(1_000));
}

#[test]
fn partitions_are_dealt_out_as_range_does() {
    let member = |name: &str, topics: &[&str]| {
        let topics: Vec<String> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        JoinGroupResponseMember::default()
            .with_member_id(StrBytes::from_string(name.to_owned()))
            .with_metadata(subscription(&topics))
    };
    let members = [member("b", &["logs", "few"]), member("a", &["logs"]), member("c", &["logs"]), member("d", &[])];
    let partitions = [("logs".to_owned(), (0..8).collect()), ("few".to_owned(), vec![0])].into();
    let dealt: Vec<(String, Vec<(String, i32)>)> = range(&members, &partitions)
        .into_iter()
        .map(|(member, bytes)| (member.to_string(), assigned(bytes).expect("an assignment")))
        .collect();
    let of = |topic: &str, partitions: std::ops::Range<i32>| partitions.map(|p| (topic.to_owned(), p)).collect();
    let b: Vec<(String, i32)> = [("few".to_owned(), 0)].into_iter().chain((3..6).map(|p| ("logs".into(), p))).collect();
    let expected: Vec<(String, Vec<(String, i32)>)> =
        vec![("a".into(), of("logs", 0..3)), ("b".into(), b), ("c".into(), of("logs", 6..8)), ("d".into(), vec![])];
    assert_eq!(dealt, expected);
    assert_eq!(assigned(Bytes::new()), Some(Vec::new()));
}

/// The conversation of RFC 7677, section 3.
#[test]
fn passwords_are_proved_as_the_rfc_says() {
    let scram = Scram::new(Hash::Sha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO");
    assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let said = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    let (last, signature) = scram.last(said).expect("a proof");
    let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    assert_eq!(last, format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
    assert!(is_proven("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", &signature));
    assert!(!is_proven("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", &signature) && !is_proven("", &signature));
    for broken in
        ["", "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", &said.replace("4096", "4000000000"), "e=other-error"]
    {
        assert!(scram.last(broken).is_err(), "{broken}");
    }
}

#[test]
fn addresses_are_read_and_mistakes_named() {
    let address: Address = "kafka+tls://one:9093,two,[::1]:9/b,a,b".parse().expect("an address");
    assert_eq!(address.brokers, ["one:9093", "two:9092", "[::1]:9"]);
    assert_eq!((address.topics, address.is_tls), (vec!["a".to_owned(), "b".to_owned()], true));
    let mistakes = [
        ("kafka://host", "names no topic"),
        ("kafka://host/", "no name of a topic"),
        ("kafka://host/a b", "no name of a topic"),
        ("kafka://user:word@host/a", "--user"),
        ("kafka://host:port/a", "a host and a port"),
        ("kafka://:9092/a", "a host and a port"),
        ("kafka:host/a", "schemes"),
    ];
    for (text, expected) in mistakes {
        match text.parse::<Address>() {
            Err(Error::Usage(problem)) => assert!(problem.contains(expected), "{text}: {problem}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}
