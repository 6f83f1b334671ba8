//! What is read of the kernel's texts, and what becomes of it.

use proptest::prelude::*;

use super::*;

const STAT: &str = "cpu  200 0 100 600 100 0 0 0 5 0\ncpu0 100 0 50 300 50 0 0 0 5 0\ncpu1 100 0 50 300 50 0 0 0\n\
                    intr 12 0 0\nctxt 77\nbtime 1795210709\nprocesses 9\nprocs_running 2\nprocs_blocked 1\n";

const MEMINFO: &str = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    250 kB\nSwapTotal:         0 kB\n\
                       SwapFree:          0 kB\nHugePages_Total:       7\nActive(anon):   16 kB\n";

const DISKSTATS: &str = " 7 0 loop0 1 2 3 4 5 6 7 8 0 9 10\n 8 0 sda 10 0 200 30 40 0 600 70 1 1000 2000 0 0 0 0\n\
                         8 1 sda1 10 0 200 30 40 0 600 70 1 1000 2000\n259 0 nvme0n1 1 0 2 3 4 0 6 7 0 8 9\n\
                         259 1 nvme0n1p1 1 0 2 3 4 0 6 7 0 8 9\n 253 0 zram0 1 1\n 9 0 md0 1 0 2 3 4 0 6 7 0 8 9\n";

const NET_DEV: &str = "Inter-|   Receive                  |  Transmit\n face |bytes    packets errs |bytes\n\
                       lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0: 1000 10 1 2 0 0 0 0 3000 30 3 4 0 0 0 0\n\
                       veth12: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";

const MOUNTINFO: &str = "22 27 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                         42 27 254:0 /srv /srv/a\\040b rw,relatime shared:1 - ext4 /dev/vda rw\n\
                         43 27 0:50 / /nfs rw - nfs4 there:/x rw\n44 27 0:51 / /run rw - tmpfs tmpfs rw\n\
                         45 27 8:1 / /mnt/a\\040b rw - xfs /dev/sda1 rw\n46 27 0:61 / /var/lib/docker/overlay2/x rw - overlay overlay rw\n\
                         47 27 0:62 / /home/u/s rw - fuse.sshfs u@h:/ rw\n";

/// Returns a machine whose kernel files hold these texts.
fn machine(texts: &[(&str, &str)]) -> (tempfile::TempDir, HostMetrics) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    for name in ["net", "self", "pressure", "sys/fs"] {
        std::fs::create_dir_all(dir.path().join(name)).expect("scratch");
    }
    for (name, text) in texts {
        std::fs::write(dir.path().join(name), text).expect("scratch");
    }
    let metrics = HostMetrics { every: Duration::from_secs(1), proc: ProcDir(dir.path().to_owned()), before: None };
    (dir, metrics)
}

fn of<'r>(records: &'r [Record], subject: &str, key: &str, value: &str) -> &'r Record {
    let is_it = |record: &&Record| {
        record.get("subject").is_some_and(|found| found == subject)
            && record.get(key).is_some_and(|found| found == value)
    };
    records.iter().find(is_it).expect("a record about it")
}

fn number(record: &Record, name: &str) -> f64 {
    record.get(name).and_then(|value| value.as_f64()).unwrap_or_else(|| panic!("{name} in {record:?}"))
}

#[test]
fn a_machine_is_told_by_the_names_of_node_exporter_and_in_percent() {
    let (dir, mut metrics) = machine(&[
        ("stat", STAT),
        ("meminfo", MEMINFO),
        ("diskstats", DISKSTATS),
        ("net/dev", NET_DEV),
        ("loadavg", "0.50 1.25 2.00 2/300 4711\n"),
        ("uptime", "3600.25 7000.00\n"),
        ("sys/fs/file-nr", "1221\t0\t2466170\n"),
        ("pressure/memory", "some avg10=0.00 total=2500000\nfull avg10=0.00 total=1500000\n"),
    ]);
    let began = Instant::now();
    let first = metrics.measure(began).expect("a measurement");
    assert_eq!(of(&first, "system", "subject", "system").get("cpu_percent"), None, "nothing to compare with yet");
    let later = STAT.replace("cpu  200 0 100 600 100", "cpu  260 0 115 620 105");
    std::fs::write(dir.path().join("stat"), later).expect("scratch");
    std::fs::write(dir.path().join("net/dev"), NET_DEV.replace("1000 10", "601000 10")).expect("scratch");
    let second = metrics.measure(began + Duration::from_secs(10)).expect("a measurement");
    let system = of(&second, "system", "subject", "system");
    let expected = [
        ("cpu_percent", 75.0),
        ("cpus", 2.0),
        ("memory_percent", 75.0),
        ("node_memory_MemTotal_bytes", 1_024_000.0),
        ("node_load1", 0.5),
        ("node_load15", 2.0),
        ("uptime_seconds", 3600.25),
        ("node_boot_time_seconds", 1_795_210_709.0),
        ("node_procs_blocked", 1.0),
        ("node_filefd_allocated", 1221.0),
        ("node_filefd_maximum", 2_466_170.0),
        ("node_pressure_memory_stalled_seconds_total", 1.5),
    ];
    for (name, value) in expected {
        assert_eq!(number(system, name), value, "{name}");
    }
    assert_eq!(system.get("swap_percent"), None, "there is no swap");
    let user = of(&second, "cpu", "mode", "user");
    assert_eq!((number(user, "node_cpu_seconds_total"), number(user, "percent")), (2.6, 60.0));
    let disk = of(&second, "disk", "device", "sda");
    assert_eq!(number(disk, "node_disk_read_bytes_total"), 102_400.0);
    assert_eq!(number(disk, "node_disk_io_time_seconds_total"), 1.0);
    assert_eq!(number(disk, "busy_percent"), 0.0);
    let network = of(&second, "network", "device", "eth0");
    assert_eq!(number(network, "node_network_transmit_drop_total"), 4.0);
    assert_eq!(number(network, "receive_bytes_per_second"), 60_000.0);
}

#[test]
fn whole_disks_and_real_devices_are_told_and_nothing_else() {
    let names = |devices: Vec<Device>| devices.into_iter().map(|device| device.name).collect::<Vec<_>>();
    assert_eq!(names(proc::disks(DISKSTATS)), ["sda", "nvme0n1", "md0"]);
    assert_eq!(names(proc::network_devices(NET_DEV)), ["eth0"]);
}

#[test]
fn a_file_system_is_told_once_and_one_of_another_machine_never() {
    let mounts: Vec<_> = proc::mounts(MOUNTINFO).into_iter().map(|mount| (mount.mountpoint, mount.device)).collect();
    let expected = [("/", "/dev/vda"), ("/run", "tmpfs"), ("/mnt/a b", "/dev/sda1")];
    assert_eq!(mounts, expected.map(|(place, device)| (place.to_owned(), device.to_owned())));
}

#[test]
fn a_device_whose_counters_went_back_has_no_rate() {
    let (dir, mut metrics) = machine(&[("stat", STAT), ("net/dev", NET_DEV)]);
    metrics.measure(Instant::now()).expect("a measurement");
    std::fs::write(dir.path().join("net/dev"), NET_DEV.replace("1000 10", "5 10")).expect("scratch");
    let records = metrics.measure(Instant::now()).expect("a measurement");
    let network = of(&records, "network", "device", "eth0");
    assert_eq!(network.get("receive_bytes_per_second"), None);
    assert!(network.get("transmit_bytes_per_second").is_some());
}

#[test]
fn a_machine_that_tells_nothing_is_an_error_that_names_the_file() {
    let (_dir, mut metrics) = machine(&[]);
    let error = metrics.measure(Instant::now()).expect_err("nothing to read").to_string();
    assert!(error.contains("/stat: No such file"), "{error}");
}

#[test]
fn this_machine_is_told() {
    let mut metrics = HostMetrics::new(Duration::from_secs(1));
    let records = metrics.measure(Instant::now()).expect("a measurement");
    let system = of(&records, "system", "subject", "system");
    assert!(number(system, "memory_percent") > 0.0 && number(system, "cpus") >= 1.0);
    let root = of(&records, "filesystem", "mountpoint", "/");
    assert!((0.0..=100.0).contains(&number(root, "disk_percent")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Also where the words are the right ones, in the wrong order or numbers beyond any.
    #[test]
    fn no_text_of_the_kernel_is_a_surprise(
        words in prop::collection::vec(prop_oneof![
            Just("cpu ".to_owned()), Just("cpu0".to_owned()), Just("18446744073709551615".to_owned()), Just("-1".to_owned()),
            Just("\n".to_owned()), Just(" - ".to_owned()), Just("MemTotal:".to_owned()), Just("MemAvailable:".to_owned()),
            Just("kB".to_owned()), Just("/\\04".to_owned()), Just("sda".to_owned()), Just("eth0:".to_owned()),
            Just("some total=".to_owned()), Just("NaN".to_owned()), Just("1e999".to_owned()), ".{0,6}",
        ], 0..60),
    ) {
        let text = words.join(" ");
        let names = ["stat", "meminfo", "diskstats", "net/dev", "loadavg", "uptime", "vmstat", "pressure/io", "self/mountinfo"];
        let (dir, mut metrics) = machine(&names.map(|name| (name, text.as_str())));
        metrics.measure(Instant::now()).expect("a measurement");
        std::fs::write(dir.path().join("stat"), STAT).expect("scratch");
        metrics.measure(Instant::now()).expect("a measurement");
    }
}
