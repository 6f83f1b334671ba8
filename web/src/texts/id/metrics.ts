// The metrics view of Explore.

/** English and Indonesian. */
export const METRICS: Readonly<Record<string, string>> = {
  // The switch of languages and the editor
  "Switch between events and metrics (PromQL)": "Beralih antara peristiwa dan metrik (PromQL)",
  'PromQL: up == 0 · rate(http_requests_total{code="500"}[5m])':
    'PromQL: up == 0 · rate(http_requests_total{code="500"}[5m])',
  "Metrics, in PromQL (p)": "Metrik, dengan PromQL (p)",
  "Events, in Insights QL (p)": "Peristiwa, dengan Insights QL (p)",
  Metrics: "Metrik",
  Logs: "Log",
  metric: "metrik",
  keyword: "kata kunci",
  "{n} values": "{n} nilai",
  "{n} value": "{n} nilai",

  "{n} of these rows is no log line but a span or a sample of a metric.":
    "{n} baris di sini bukan baris log, melainkan span atau sampel metrik.",
  "{n} of these rows are no log lines but spans or samples of metrics.":
    "{n} baris di sini bukan baris log, melainkan span atau sampel metrik.",
  "Show logs alone": "Tampilkan log saja",
  "Show traces": "Tampilkan trace",
  "Show metrics as lines": "Tampilkan metrik sebagai garis",

  // The metrics at the side
  "List by": "Daftar menurut",
  "{n} series": "{n} deret",
  "Series with samples in the last hour": "Deret yang punya sampel dalam satu jam terakhir",
  "Find a label": "Cari label",
  "Find a metric": "Cari metrik",
  "The metrics could not be loaded: {message}.": "Metrik tidak dapat dimuat: {message}.",
  "No metric has samples in this range.": "Tidak ada metrik yang punya sampel dalam rentang ini.",
  "No metric name contains this.": "Tidak ada nama metrik yang memuat teks ini.",
  "The series could not be counted: {message}.": "Deret tidak dapat dihitung: {message}.",
  "more than {n} series": "lebih dari {n} deret",
  "Sum the series by {label}, or take it back": "Jumlahkan deret menurut {label}, atau batalkan",
  "sum by": "jumlahkan",
  "Show only series with {label} {value}, or all again":
    "Tampilkan hanya deret dengan {label} {value}, atau semuanya lagi",
  "{n} more value": "{n} nilai lagi",
  "{n} more values": "{n} nilai lagi",
  "The labels could not be loaded: {message}.": "Label tidak dapat dimuat: {message}.",
  "No label of the last hour contains this.": "Tidak ada label dalam satu jam terakhir yang memuat teks ini.",
  "The values could not be loaded: {message}.": "Nilai tidak dapat dimuat: {message}.",
  "List the metrics with {label} {value}": "Tampilkan daftar metrik dengan {label} {value}",

  // Lines
  "evaluating… {time}": "menghitung… {time}",
  "Metrics over time": "Metrik dari waktu ke waktu",
  "Only {n} series are looked at. Narrow the query, or use topk or sum by.":
    "Hanya {n} deret yang dibaca. Persempit kueri, atau gunakan topk atau sum by.",
  "Samples may be missing.": "Sebagian sampel mungkin tidak ada.",
  "What all lines have in common": "Label yang sama pada semua garis",
  "one point every {time}": "satu titik setiap {time}",
  Line: "Garis",
  Lines: "Garis",
  Last: "Terakhir",
  Lowest: "Terendah",
  Highest: "Tertinggi",
  result: "hasil",
  "Show only this line, or all again": "Tampilkan hanya garis ini, atau semuanya lagi",
  "Logs of its host in the minute of its highest value, {time}":
    "Log dari host-nya pada menit saat nilainya tertinggi, {time}",
  "Logs at peak of {line}": "Log di puncak {line}",
  "Logs at peak": "Log di puncak",
  "{n} more line": "{n} garis lagi",
  "{n} more lines": "{n} garis lagi",
  "{n} line with lower values is not drawn. Narrow the query, or use topk or sum by.":
    "{n} garis bernilai lebih rendah tidak digambar. Persempit kueri, atau gunakan topk atau sum by.",
  "{n} lines with lower values are not drawn. Narrow the query, or use topk or sum by.":
    "{n} garis bernilai lebih rendah tidak digambar. Persempit kueri, atau gunakan topk atau sum by.",
  "Lines over time; ← and → read them, ↑ and ↓ change the line, Enter shows the logs of its host and minute, Shift with ← and → selects a time":
    "Garis dari waktu ke waktu; ← dan → membacanya, ↑ dan ↓ berpindah garis, Enter menampilkan log dari host dan menitnya, Shift dengan ← dan → memilih waktu",
  "Click: logs of this minute": "Klik: log pada menit ini",
  "Click: logs of {host} in this minute": "Klik: log dari {host} pada menit ini",
  "Show its logs": "Tampilkan log-nya",

  // Native histograms
  "Observations by value and time; arrow keys read the cells, Enter shows the logs of its host and minute. The table below has the buckets of the instant that was read last.":
    "Pengamatan menurut nilai dan waktu; tombol panah membaca sel, Enter menampilkan log dari host dan menitnya. Tabel di bawah memuat bucket pada saat yang terakhir dibaca.",
  Buckets: "Bucket",
  Bucket: "Bucket",
  Observations: "Pengamatan",
  "{time}: {n} observations, average {average}": "{time}: {n} pengamatan, rata-rata {average}",

  // The log lines below
  "Query of the log lines": "Kueri untuk baris log",
  "All logs; or words, or filter status >= 500": "Semua log; atau kata, atau filter status >= 500",
  "Show the logs of the whole range": "Tampilkan log dari seluruh rentang",
  "of the whole range": "dari seluruh rentang",
  "This query counts events. Only queries that keep events are shown below a chart of metrics.":
    "Kueri ini menghitung peristiwa. Di bawah grafik metrik hanya kueri yang menghasilkan peristiwa yang ditampilkan.",
  "No logs in this time": "Tidak ada log pada waktu ini",
  "In the whole range": "Di seluruh rentang",
  "Open these events in Explore to see older ones": "Buka peristiwa ini di Jelajah untuk melihat yang lebih lama",
  "Logs of the same time": "Log pada waktu yang sama",
  "The logs could not be loaded: {message}.": "Log tidak dapat dimuat: {message}.",

  // No lines
  "CPU in use": "CPU terpakai",
  "Memory in use": "Memori terpakai",
  "Disk in use": "Disk terpakai",
  "Network, received": "Jaringan, diterima",
  "Targets that are down": "Target yang mati",
  "Choose a metric from the list, or write a query in PromQL.":
    "Pilih metrik dari daftar, atau tulis kueri dalam PromQL.",
  "No series": "Tidak ada deret",
  "No series of this query has samples in this range.":
    "Tidak ada deret dari kueri ini yang punya sampel dalam rentang ini.",
  "{name} has samples at other times, but not in this range.":
    "{name} punya sampel pada waktu lain, tetapi tidak dalam rentang ini.",
  "No metric in this range is called {name}.": "Tidak ada metrik bernama {name} dalam rentang ini.",
  "Similar:": "Mirip:",
  "Metrics come from scrapes, remote write, OpenTelemetry and pushes:":
    "Metrik datang dari scrape, remote write, OpenTelemetry, dan push:",
  "Scrape targets": "Scrape target",
  "Remote write and pushes": "Remote write dan push",
  "Variables of Grafana have no value here: write a duration, such as 5m, instead of $__rate_interval.":
    "Variabel Grafana tidak punya nilai di sini: tulis durasi, misalnya 5m, sebagai ganti $__rate_interval.",
  "The lines below are those of the query before.": "Garis di bawah berasal dari kueri sebelumnya.",
};
