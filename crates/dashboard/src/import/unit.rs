//! Units of Grafana and CloudWatch by their names here.

/// Returns our name of a unit of Grafana.
pub(super) fn of_grafana(unit: &str) -> Option<String> {
    let own = match unit {
        "" | "none" | "short" | "string" => return None,
        "percentunit" => "ratio",
        "bytes" | "decbytes" => "bytes",
        "Bps" | "binBps" => "bytes/s",
        "bps" | "binbps" | "decbits" | "bits" => "bits/s",
        "dtdurations" | "dtdurationms" | "clocks" | "s" => "s",
        "clockms" => "ms",
        "reqps" | "rps" | "ops" | "iops" | "wps" | "cps" | "eps" | "pps" | "mps" => "per_second",
        "reqpm" | "rpm" | "opm" | "wpm" | "cpm" | "epm" => "per_minute",
        "hertz" | "rothz" => "Hz",
        "rotrpm" => "rpm",
        "celsius" => "°C",
        "fahrenheit" => "°F",
        "volt" => "V",
        "amp" => "A",
        "watt" => "W",
        other => other,
    };
    Some(own.chars().take(40).collect())
}

/// Returns our name of a unit of CloudWatch.
pub(super) fn of_cloudwatch(unit: &str) -> Option<String> {
    let own = match unit {
        "" | "None" | "Count" => return None,
        "Percent" => "percent",
        "Bytes" => "bytes",
        "Bytes/Second" => "bytes/s",
        "Bits/Second" => "bits/s",
        "Milliseconds" => "ms",
        "Seconds" => "s",
        "Count/Second" => "per_second",
        other => other,
    };
    Some(own.chars().take(40).collect())
}
