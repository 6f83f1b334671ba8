//! A machine as node_exporter tells it, and as the input `node_exporter` of the shipper does.

use super::board::{Board, of_metric, samples};
use crate::document::PanelKind;

/// File systems that hold no files of theirs.
const NO_DISK: &str = "tmpfs|devtmpfs|overlay|squashfs|ramfs|proc|sysfs|cgroup.*|nsfs|autofs|fuse\\\\..*";

pub(super) fn add(board: &mut Board<'_>) {
    board.section("Machine");
    add_numbers(board);
    add_processor(board);
    add_memory(board);
    add_disks(board);
    add_network(board);
    add_rest(board);
}

fn add_numbers(board: &mut Board<'_>) {
    // A rate is estimated from what lies around its time, and may be a little more than all of it.
    if board.has_metric("node_cpu_seconds_total") {
        let busy = r#"clamp(100 * (1 - avg(rate(node_cpu_seconds_total{, mode="idle"}[$__rate_interval]))), 0, 100)"#;
        let panel = samples(PanelKind::Number, "Processors", "node_cpu_seconds_total", busy);
        board.add(panel.unit("percent").grades(80.0, 95.0).if_found(idle()));
    }
    if board.has_metric("node_memory_MemAvailable_bytes") && board.has_metric("node_memory_MemTotal_bytes") {
        let used = "100 * (1 - sum(node_memory_MemAvailable_bytes{}) / sum(node_memory_MemTotal_bytes{}))";
        let panel = samples(PanelKind::Number, "Memory", "node_memory_MemAvailable_bytes", used);
        board.add(panel.unit("percent").grades(85.0, 95.0));
    }
    if board.has_metric("node_filesystem_avail_bytes") && board.has_metric("node_filesystem_size_bytes") {
        let panel =
            samples(PanelKind::Number, "Fullest disk", "node_filesystem_avail_bytes", &format!("max({})", full()));
        board.add(panel.unit("percent").grades(80.0, 90.0).if_found(disk_space()));
    }
    if board.has_metric("node_load1") {
        board.add(samples(PanelKind::Number, "Load", "node_load1", "max(node_load1{})"));
    }
    if board.has_metric("node_boot_time_seconds") {
        let since = "time() - max(node_boot_time_seconds{})";
        board.add(samples(PanelKind::Number, "Running for", "node_boot_time_seconds", since).unit("s"));
    }
}

fn add_processor(board: &mut Board<'_>) {
    if board.has_metric("node_cpu_seconds_total") {
        let modes = r#"100 * avg by (mode) (rate(node_cpu_seconds_total{, mode!="idle"}[$__rate_interval]))"#;
        let condition = format!("{} and mode != \"idle\"", of_metric("node_cpu_seconds_total"));
        let panel = samples(PanelKind::Area, "Processors by mode", "node_cpu_seconds_total", modes).label("{mode}");
        board.add(panel.unit("percent").stacked().if_found(condition));
        let busy = r#"clamp(100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{, mode="idle"}[$__rate_interval]))), 0, 100)"#;
        let panel =
            samples(PanelKind::Line, "Busy processors by machine", "node_cpu_seconds_total", busy).label("{instance}");
        board.add(panel.unit("percent").if_found(idle()));
    }
    if board.has_metric("node_load1") {
        let mut panel =
            samples(PanelKind::Line, "Load of the machine", "node_load1", "avg(node_load1{})").label("1 minute");
        for (name, query, label) in
            [("node_load5", "avg(node_load5{})", "5 minutes"), ("node_load15", "avg(node_load15{})", "15 minutes")]
        {
            if board.has_metric(name) {
                panel = panel.and(query, label);
            }
        }
        board.add(panel);
    }
}

fn add_memory(board: &mut Board<'_>) {
    if board.has_metric("node_memory_MemAvailable_bytes") && board.has_metric("node_memory_MemTotal_bytes") {
        let used = "sum(node_memory_MemTotal_bytes{}) - sum(node_memory_MemAvailable_bytes{})";
        let panel = samples(PanelKind::Line, "Memory used", "node_memory_MemAvailable_bytes", used).label("used");
        board.add(panel.and("sum(node_memory_MemTotal_bytes{})", "total").unit("bytes"));
    }
    if board.has_metric("node_memory_SwapTotal_bytes") && board.has_metric("node_memory_SwapFree_bytes") {
        let used = "sum(node_memory_SwapTotal_bytes{}) - sum(node_memory_SwapFree_bytes{})";
        let panel = samples(PanelKind::Line, "Swap used", "node_memory_SwapTotal_bytes", used).label("used");
        let condition = format!("{} and value > 0", of_metric("node_memory_SwapTotal_bytes"));
        board.add(panel.and("sum(node_memory_SwapTotal_bytes{})", "total").unit("bytes").if_found(condition));
    }
}

fn add_disks(board: &mut Board<'_>) {
    if board.has_metric("node_filesystem_avail_bytes") && board.has_metric("node_filesystem_size_bytes") {
        let panel = samples(PanelKind::Line, "Disk space used", "node_filesystem_avail_bytes", &full());
        board.add(panel.label("{instance} {mountpoint}").unit("percent").if_found(disk_space()));
    }
    add_two(
        board,
        "Bytes read and written",
        "bytes/s",
        [
            ("node_disk_read_bytes_total", "sum(rate(node_disk_read_bytes_total{}[$__rate_interval]))", "read"),
            (
                "node_disk_written_bytes_total",
                "sum(rate(node_disk_written_bytes_total{}[$__rate_interval]))",
                "written",
            ),
        ],
    );
    if board.has_metric("node_disk_io_time_seconds_total") {
        let busy = "clamp_max(100 * rate(node_disk_io_time_seconds_total{}[$__rate_interval]), 100)";
        let panel = samples(PanelKind::Line, "Busy disks", "node_disk_io_time_seconds_total", busy);
        board.add(panel.label("{instance} {device}").unit("percent"));
    }
}

fn add_network(board: &mut Board<'_>) {
    add_two(
        board,
        "Network traffic",
        "bits/s",
        [
            (
                "node_network_receive_bytes_total",
                "8 * sum(rate(node_network_receive_bytes_total{}[$__rate_interval]))",
                "received",
            ),
            (
                "node_network_transmit_bytes_total",
                "8 * sum(rate(node_network_transmit_bytes_total{}[$__rate_interval]))",
                "sent",
            ),
        ],
    );
    add_two(
        board,
        "Network errors",
        "per_second",
        [
            (
                "node_network_receive_errs_total",
                "sum(rate(node_network_receive_errs_total{}[$__rate_interval]))",
                "received",
            ),
            (
                "node_network_transmit_errs_total",
                "sum(rate(node_network_transmit_errs_total{}[$__rate_interval]))",
                "sent",
            ),
        ],
    );
}

fn add_rest(board: &mut Board<'_>) {
    for (name, title, query, unit) in [
        (
            "node_pressure_cpu_waiting_seconds_total",
            "Waiting for a processor",
            "100 * avg(rate(node_pressure_cpu_waiting_seconds_total{}[$__rate_interval]))",
            "percent",
        ),
        (
            "node_pressure_io_waiting_seconds_total",
            "Waiting for disks",
            "100 * avg(rate(node_pressure_io_waiting_seconds_total{}[$__rate_interval]))",
            "percent",
        ),
        ("node_filefd_allocated", "Open files", "sum(node_filefd_allocated{})", "count"),
        ("node_procs_running", "Running processes", "sum(node_procs_running{})", "count"),
    ] {
        if board.has_metric(name) {
            board.add(samples(PanelKind::Line, title, name, query).unit(unit).without_legend());
        }
    }
}

/// Adds a panel of two metrics, as far as they are there.
fn add_two(board: &mut Board<'_>, title: &str, unit: &str, metrics: [(&str, &str, &str); 2]) {
    let mut present = metrics.into_iter().filter(|(name, ..)| board.has_metric(name));
    let Some((name, query, label)) = present.next() else { return };
    let mut panel = samples(PanelKind::Line, title, name, query).label(label).unit(unit);
    if let Some((_, query, label)) = present.next() {
        panel = panel.and(query, label);
    }
    board.add(panel);
}

/// Writes how full disks are, in percent.
fn full() -> String {
    format!(
        "100 - 100 * node_filesystem_avail_bytes{{, fstype!~\"{NO_DISK}\"}} / node_filesystem_size_bytes{{, fstype!~\"{NO_DISK}\"}}"
    )
}

fn disk_space() -> String {
    format!("{} and fstype not like /^({NO_DISK})$/", of_metric("node_filesystem_size_bytes")).replace("\\\\", "\\")
}

fn idle() -> String {
    format!("{} and mode = \"idle\"", of_metric("node_cpu_seconds_total"))
}
