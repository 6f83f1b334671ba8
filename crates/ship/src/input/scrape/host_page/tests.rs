//! Series that dashboards of node_exporter ask for.

use super::*;

#[test]
fn the_page_has_the_series_that_dashboards_of_node_exporter_ask_for() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    for name in ["net", "self", "sys/fs"] {
        std::fs::create_dir_all(dir.path().join(name)).expect("scratch");
    }
    let files = [
        (
            "stat",
            "cpu  3 0 1 6 1 0 0 0 5 0\ncpu0 100 1 50 300 50 2 3 4 5 0\ncpu12 100 0 50 300 50 0 0 0\nintr 12 0\nctxt 77\nbtime 1795210709\n",
        ),
        ("meminfo", "MemTotal:       1000 kB\nActive(anon):   16 kB\nHugePages_Total:       7\n"),
        ("vmstat", "nr_free 1\npgfault 9\noom_kill 2\npgmajfault 4\npgscan 5\n"),
        ("loadavg", "0.50 1.25 2.00 2/300 4711\n"),
        ("diskstats", " 8 0 sda 10 0 200 30 40 0 600 70 1 1000 2000 0 0 0 0\n 8 1 sda1 10 0 200 30\n"),
        (
            "net/dev",
            "face |bytes\n lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n eth\"0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        ),
    ];
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).expect("scratch");
    }
    let page = HostPage { proc: ProcDir(dir.path().to_owned()) }.page().expect("a page");
    for line in [
        "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 3",
        "node_cpu_seconds_total{cpu=\"12\",mode=\"steal\"} 0",
        "node_intr_total 12",
        "node_boot_time_seconds 1795210709",
        "node_load15 2",
        "node_memory_MemTotal_bytes 1024000",
        "node_memory_Active_anon_bytes 16384",
        "node_memory_HugePages_Total 7",
        "node_vmstat_oom_kill 2",
        "node_vmstat_pgmajfault 4",
        "node_disk_read_bytes_total{device=\"sda\"} 102400",
        "node_disk_io_time_seconds_total{device=\"sda\"} 1",
        "node_network_receive_bytes_total{device=\"lo\"} 9",
        "node_network_transmit_compressed_total{device=\"eth\\\"0\"} 16",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in\n{page}");
    }
    assert!(page.contains("node_uname_info{domainname="), "{page}");
    assert!(!page.contains("sda1") && !page.contains("pgscan"), "{page}");
    exposition::read(&page, exposition::Format::Text, 10_000).expect("a page that can be read");
    // This machine has a file system, too.
    let own = HostPage::new().page().expect("a page");
    assert!(own.contains("node_filesystem_avail_bytes{") && own.contains("mountpoint=\"/\""), "{own}");
}
