// What differs, the first look, marks, in Indonesian.

/** English texts and their Indonesian. */
export const CAUSE: Readonly<Record<string, string>> = {
  // A selected time
  "Bar chart of {n} events; “Show the counts as a table” gives the numbers; ← and → read bars, with Shift they select, Enter opens what to do with them":
    "Grafik batang dari {n} peristiwa; “Tampilkan jumlah sebagai tabel” memberikan angkanya; ← dan → membaca batang, dengan Shift memilih, Enter membuka pilihan tindakan",
  "Chart of the table below; ← and → read it, with Shift they select, Enter opens what to do with the time":
    "Grafik dari tabel di bawah; ← dan → membacanya, dengan Shift memilih, Enter membuka pilihan tindakan untuk waktu itu",
  "Selected time": "Waktu terpilih",
  "Zoom in": "Perbesar",
  "What differs": "Yang berbeda",
  "Add a mark…": "Tambah penanda…",

  Compare: "Bandingkan",
  "What differs at {time}": "Yang berbeda pada {time}",

  // What differs
  "the rest of this range": "sisa rentang ini",
  "other events of this time": "peristiwa lain pada waktu ini",
  "no difference found": "tidak ada perbedaan",
  "{n} field differs": "{n} bidang berbeda",
  "{n} fields differ": "{n} bidang berbeda",
  "Selected:": "Terpilih:",
  "Select everything shown": "Pilih semua yang ditampilkan",
  "{n} events selected, {m} in the baseline": "{n} peristiwa terpilih, {m} di pembanding",
  "from a sample": "dari sampel",
  "No event is selected": "Tidak ada peristiwa terpilih",
  "The baseline has no events": "Pembanding tidak berisi peristiwa",
  "Nothing differs significantly": "Tidak ada yang berbeda secara signifikan",
  "Every field is distributed as in the baseline, within what chance explains.":
    "Sebaran setiap bidang sama seperti di pembanding, sejauh yang dapat dijelaskan oleh kebetulan.",
  "Select a longer time, or choose another baseline above.":
    "Pilih waktu yang lebih panjang, atau pembanding lain di atas.",
  pattern: "pola",
  "(missing)": "(tidak ada)",
  "{name}: {share} of the selection, {other} of the baseline": "{name}: {share} dari pilihan, {other} dari pembanding",
  selection: "pilihan",
  baseline: "pembanding",
  "only here": "hanya di sini",
  "not here": "tidak di sini",
  "above {n}: {share} of the selection, {other} of the baseline":
    "di atas {n}: {share} dari pilihan, {other} dari pembanding",
  "its numbers": "angkanya",
  "median {n}": "median {n}",
  "The same events differ in {fields}, too.": "Peristiwa yang sama juga berbeda di {fields}.",
  "Show one event": "Tampilkan satu peristiwa",

  // Marks
  Marks: "Penanda",
  "Show the time around it": "Tampilkan waktu di sekitarnya",
  "and {n} earlier": "dan {n} sebelumnya",
  "Add a mark": "Tambah penanda",
  "A deployment, a migration, a switched flag: drawn on every chart over time.":
    "Deployment, migrasi, atau flag yang diubah: digambar di setiap grafik waktu.",
  Text: "Teks",
  "Until (optional)": "Sampai (opsional)",
  "Fields (optional)": "Bidang (opsional)",
  "Add the mark": "Tambahkan",
  "Mark added": "Penanda ditambahkan",
  "The end is before the start.": "Akhirnya sebelum awalnya.",

  // The banner
  "Errors rose at {time}, {after} after {what}.": "Galat naik pukul {time}, {after} setelah {what}.",
  "Errors have been high since {time}.": "Galat tinggi sejak {time}.",
  "Errors have been high since {time}, {after} after {what}.": "Galat tinggi sejak {time}, {after} setelah {what}.",

  // Commands, and the form of a rule
  "Theme: system": "Tema: sistem",
  "Theme: light": "Tema: terang",
  "Theme: dark": "Tema: gelap",
  "Language: {name}": "Bahasa: {name}",
  "{n} alert began together": "{n} peringatan bermula bersama",
  "{n} alerts began together": "{n} peringatan bermula bersama",
  "Events:": "Peristiwa:",
  "More: query, time, notifications": "Lainnya: kueri, waktu, notifikasi",

  // The first look
  "First look": "Tinjauan awal",
  "Since when": "Sejak kapan",
  "Measured by": "Diukur menurut",
  Field: "Bidang",
  "number of events": "jumlah peristiwa",
  "share of all events": "porsi dari semua peristiwa",
  "each pattern": "setiap pola",
  "median of a field": "median suatu bidang",
  "{n}th percentile of a field": "persentil ke-{n} suatu bidang",
  "The beginning could not be found: {message}.": "Awalnya tidak dapat dicari: {message}.",
  "with 95 % confidence between {from} and {to}": "dengan keyakinan 95 % antara {from} dan {to}",
  "No beginning was found.": "Tidak ditemukan awalnya.",
  "No pattern began or ended.": "Tidak ada pola yang mulai atau berakhir.",
  "of {n} pattern that was searched": "dari {n} pola yang diperiksa",
  "of {n} patterns that were searched": "dari {n} pola yang diperiksa",
  Before: "Sebelum",
  Since: "Sejak itu",
  Ended: "Berakhir",
  calls: "panggilan",
  usual: "biasanya",
  "{least} to {most}": "{least} sampai {most}",
  "At this hour {range} per minute on {days}; now {now}.":
    "Pada jam ini {range} per menit pada {days}; sekarang {now}.",
  "the day before": "hari sebelumnya",
  "{n} days before": "{n} hari sebelumnya",
  "Calls between services": "Panggilan antarlayanan",
  Call: "Panggilan",
  "what it calls is red, too": "yang dipanggilnya juga merah",
  "{before} before": "sebelumnya {before}",
  "Show the service map": "Tampilkan peta layanan",
  "This alert no longer exists: {message}.": "Peringatan ini sudah tidak ada: {message}.",
  "The first look could not be computed: {message}.": "Tinjauan awal tidak dapat dihitung: {message}.",
  "Comparing with the time before…": "Membandingkan dengan waktu sebelumnya…",
  "The alert": "Peringatannya",
  "Nothing stands out": "Tidak ada yang menonjol",
  "Nothing began in this range, no pattern is new or jumped, and no field differs significantly.":
    "Tidak ada yang bermula dalam rentang ini, tidak ada pola baru atau melonjak, dan tidak ada bidang yang berbeda secara signifikan.",
  "No field differs significantly from the time before.":
    "Tidak ada bidang yang berbeda secara signifikan dari waktu sebelumnya.",
  "No beginning was found: the events are about as frequent as before.":
    "Tidak ditemukan awalnya: peristiwanya kira-kira sesering sebelumnya.",
  "Since {time}": "Sejak {time}",
  "ended {time}": "berakhir {time}",
  "{before} before, {after} since": "{before} sebelumnya, {after} sejak itu",
  "computed {time}": "dihitung {time}",
  "What began then": "Yang bermula saat itu",
  "Times of everything that began close to the onset; the list below has the same":
    "Waktu segala yang bermula di dekat awal; daftar di bawah berisi hal yang sama",
  Findings: "Temuan",
  "No single thing explains it.": "Tidak ada satu hal yang menjelaskannya.",
  onset: "awal",
  "new pattern": "pola baru",
  "more frequent": "lebih sering",
  differs: "berbeda",
  restart: "mulai ulang",
  mark: "penanda",
  alert: "peringatan",
  "went silent": "senyap",
  "clock jumped": "jam bergeser",
  trace: "trace",
  "at the onset": "pada awalnya",
  "{time} before the onset": "{time} sebelum awal",
  "{time} after the onset": "{time} setelah awal",
  "Skip to the results": "Langsung ke hasil",
  "Skip to the content": "Langsung ke isi",
};
