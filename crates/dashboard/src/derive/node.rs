//! A machine as node_exporter tells it, and as the input `node_exporter` of the shipper does.

use super::board::{Board, RATE, SUM, of_metric, samples};
use crate::document::PanelKind::{Area, Line, Number};

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
    let busy = r#"clamp(100 * (1 - avg(rate($m{, mode="idle"}[$__rate_interval]))), 0, 100)"#;
    let panel = samples(Number, "Processors", "node_cpu_seconds_total", busy);
    board.add(panel.unit("percent").grades(80.0, 95.0).if_found(idle()));
    if board.has_metric("node_memory_MemTotal_bytes") {
        let used = "100 * (1 - sum($m{}) / sum(node_memory_MemTotal_bytes{}))";
        let panel = samples(Number, "Memory", "node_memory_MemAvailable_bytes", used);
        board.add(panel.unit("percent").grades(85.0, 95.0));
    }
    if board.has_metric("node_filesystem_size_bytes") {
        let panel = samples(Number, "Fullest disk", "node_filesystem_avail_bytes", &format!("max({})", full()));
        board.add(panel.unit("percent").grades(80.0, 90.0).if_found(disk_space()));
    }
    board.add(samples(Number, "Load", "node_load1", "max($m{})"));
    board.add(samples(Number, "Running for", "node_boot_time_seconds", "time() - max($m{})").unit("s"));
}

fn add_processor(board: &mut Board<'_>) {
    let modes = r#"100 * avg by (mode) (rate($m{, mode!="idle"}[$__rate_interval]))"#;
    let condition = format!("{} and mode != \"idle\"", of_metric("node_cpu_seconds_total"));
    let panel = samples(Area, "Processors by mode", "node_cpu_seconds_total", modes).label("{mode}");
    board.add(panel.unit("percent").stacked().if_found(condition));
    let busy = r#"clamp(100 * (1 - avg by (instance) (rate($m{, mode="idle"}[$__rate_interval]))), 0, 100)"#;
    let panel = samples(Line, "Busy processors by machine", "node_cpu_seconds_total", busy).label("{instance}");
    board.add(panel.unit("percent").if_found(idle()));
    let mut panel = samples(Line, "Load of the machine", "node_load1", "avg($m{})").label("1 minute");
    for (name, query, label) in
        [("node_load5", "avg(node_load5{})", "5 minutes"), ("node_load15", "avg(node_load15{})", "15 minutes")]
    {
        if board.has_metric(name) {
            panel = panel.and(query, label);
        }
    }
    board.add(panel);
}

fn add_memory(board: &mut Board<'_>) {
    if board.has_metric("node_memory_MemTotal_bytes") {
        let used = "sum(node_memory_MemTotal_bytes{}) - sum($m{})";
        let panel = samples(Line, "Memory used", "node_memory_MemAvailable_bytes", used).label("used");
        board.add(panel.and("sum(node_memory_MemTotal_bytes{})", "total").unit("bytes"));
    }
    if board.has_metric("node_memory_SwapFree_bytes") {
        let used = "sum($m{}) - sum(node_memory_SwapFree_bytes{})";
        let panel = samples(Line, "Swap used", "node_memory_SwapTotal_bytes", used).label("used");
        let condition = format!("{} and value > 0", of_metric("node_memory_SwapTotal_bytes"));
        board.add(panel.and("sum(node_memory_SwapTotal_bytes{})", "total").unit("bytes").if_found(condition));
    }
}

fn add_disks(board: &mut Board<'_>) {
    if board.has_metric("node_filesystem_size_bytes") {
        let panel = samples(Line, "Disk space used", "node_filesystem_avail_bytes", &full());
        board.add(panel.label("{instance} {mountpoint}").unit("percent").if_found(disk_space()));
    }
    let metrics = [("node_disk_read_bytes_total", "read"), ("node_disk_written_bytes_total", "written")];
    add_two(board, "Bytes read and written", "bytes/s", RATE, metrics);
    let busy = "clamp_max(100 * rate($m{}[$__rate_interval]), 100)";
    let panel = samples(Line, "Busy disks", "node_disk_io_time_seconds_total", busy);
    board.add(panel.label("{instance} {device}").unit("percent"));
}

fn add_network(board: &mut Board<'_>) {
    let metrics = [("node_network_receive_bytes_total", "received"), ("node_network_transmit_bytes_total", "sent")];
    add_two(board, "Network traffic", "bits/s", "8 * sum(rate($m{}[$__rate_interval]))", metrics);
    let metrics = [("node_network_receive_errs_total", "received"), ("node_network_transmit_errs_total", "sent")];
    add_two(board, "Network errors", "per_second", RATE, metrics);
}

fn add_rest(board: &mut Board<'_>) {
    let share = "100 * avg(rate($m{}[$__rate_interval]))";
    for (name, title, query, unit) in [
        ("node_pressure_cpu_waiting_seconds_total", "Waiting for a processor", share, "percent"),
        ("node_pressure_io_waiting_seconds_total", "Waiting for disks", share, "percent"),
        ("node_filefd_allocated", "Open files", SUM, "count"),
        ("node_procs_running", "Running processes", SUM, "count"),
    ] {
        board.add(samples(Line, title, name, query).unit(unit).without_legend());
    }
}

/// Adds a panel with the same query of two metrics, as far as they are there.
fn add_two(board: &mut Board<'_>, title: &str, unit: &str, query: &str, metrics: [(&str, &str); 2]) {
    let mut present = metrics.into_iter().filter(|(name, _)| board.has_metric(name));
    let Some((name, label)) = present.next() else { return };
    let mut panel = samples(Line, title, name, query).label(label).unit(unit);
    if let Some((name, label)) = present.next() {
        panel = panel.and(&query.replace("$m", name), label);
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
