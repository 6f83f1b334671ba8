// What the server says of problems, in Indonesian: the sentences that people meet most, by the stable code of the problem.
// What the server names stands in marked places (`{word}`) and stays as it is. A sentence that is not here stays English.

/** English sentences and their Indonesian. */
export type Sentences = Readonly<Record<string, string>>;

/** What is wrong, by code. */
export const PROBLEMS: Readonly<Record<string, Sentences>> = {
  // The text of a query
  syntax: { "this `{word}` cannot be read": "`{word}` ini tidak dapat dibaca" },
  "unknown-command": { "there is no command `{word}`": "tidak ada perintah `{word}`" },
  "unknown-function": { "there is no function `{word}`": "tidak ada fungsi `{word}`" },
  "unknown-stage": { "there is no stage `{word}`": "tidak ada tahap `{word}`" },
  "wrong-arguments": { "wrong number of arguments of {name}": "jumlah argumen {name} tidak sesuai" },
  "unclosed-text": {
    'this text has no closing "': 'teks ini tidak ditutup dengan "',
    "this text has no closing '": "teks ini tidak ditutup dengan '",
    "this name has no closing `": "nama ini tidak ditutup dengan `",
    "this text has no closing quote": "teks ini tidak ditutup dengan tanda kutip",
  },
  "unclosed-regex": { "this regular expression has no closing /": "ekspresi reguler ini tidak ditutup dengan /" },
  "bad-regex": {
    "this regular expression is not valid: {problem}": "ekspresi reguler ini tidak sah: {problem}",
    "this regular expression is too large: its repetitions multiply":
      "ekspresi reguler ini terlalu besar: pengulangannya berlipat ganda",
  },
  "nested-too-deeply": { "the query is nested too deeply to be read": "kueri bersarang terlalu dalam untuk dibaca" },
  "duration-expected": {
    "a length of time such as 30s, 5m, 1h or 1d is expected here":
      "di sini diperlukan lama waktu seperti 30s, 5m, 1h, atau 1d",
  },
  "unknown-unit": { "`{unit}` is no unit of time": "`{unit}` bukan satuan waktu" },
  "bad-duration": { "this length of time is zero or too large": "lama waktu ini nol atau terlalu besar" },
  // Fields, columns, groups, tables
  "unknown-field": {
    "no event in these groups and this time range has the field `{name}`":
      "tidak ada peristiwa di grup dan rentang waktu ini yang memiliki bidang `{name}`",
  },
  "unknown-column": {
    "`{field}` is missing in every row here: `stats` has removed it":
      "`{field}` tidak ada di baris mana pun di sini: `stats` telah menghapusnya",
    "no column shown fits `{name}`": "tidak ada kolom tampil yang cocok dengan `{name}`",
    "the lookup table `{table}` has no column `{column}`; it has {names}":
      "tabel pencarian `{table}` tidak memiliki kolom `{column}`; yang ada: {names}",
  },
  "unknown-group": { "there is no group `{name}`": "tidak ada grup `{name}`" },
  "unknown-table": { "there is no lookup table `{name}`": "tidak ada tabel pencarian `{name}`" },
  "events-ahead": {
    "{n} event of these groups is dated after {to}, the newest {newest}":
      "{n} peristiwa di grup ini bertanggal setelah {to}, yang terbaru {newest}",
    "{n} events of these groups are dated after {to}, the newest {newest}":
      "{n} peristiwa di grup ini bertanggal setelah {to}, yang terbaru {newest}",
  },
  "phrase-search": {
    "these words are no query, so they were searched as a phrase in every text of the events":
      "kata-kata ini bukan kueri, jadi dicari sebagai frasa di semua teks peristiwa",
  },
  "constant-condition": {
    "{value} alone is no condition: it is the same for every event":
      "{value} saja bukan syarat: hasilnya sama untuk setiap peristiwa",
  },
  // The time range
  "bad-time": {
    "{end}: {text} is no time; write now-1h, now/d, 2026-11-20T06:00:00Z, 2026-11-20 or seconds since 1970":
      "{end}: {text} bukan waktu; tulis now-1h, now/d, 2026-11-20T06:00:00Z, 2026-11-20, atau detik sejak 1970",
    "{text} is no time": "{text} bukan waktu",
    "{text} ends before it begins": "{text} berakhir sebelum dimulai",
    "{text} has more than two ends": "{text} memiliki lebih dari dua ujung",
  },
  "empty-range": {
    "the range is empty: from {from} is after its end": "rentang kosong: awalnya {from}, setelah akhirnya",
  },
  "unknown-time-zone": { "unknown time zone {name}": "zona waktu {name} tidak dikenal" },
  // Memory, disk, time, others who ask
  "query-memory": {
    "query needs more than {n} bytes of memory ({setting}); ask for a shorter range, fewer groups or a limit":
      "kueri memerlukan lebih dari {n} byte memori ({setting}); pilih rentang yang lebih pendek, grup yang lebih sedikit, atau batasi dengan limit",
  },
  "queries-memory": {
    "all queries together need more than {n} bytes of memory (query.memory_total); try again when others are done, or ask for a shorter range, fewer groups or a limit":
      "semua kueri bersama-sama memerlukan lebih dari {n} byte memori (query.memory_total); coba lagi setelah kueri lain selesai, atau pilih rentang yang lebih pendek, grup yang lebih sedikit, atau batasi dengan limit",
  },
  "query-spill": {
    "query needs more disk than is left of {n} bytes for all queries (query.spill); ask for a shorter range, fewer groups or a limit":
      "kueri memerlukan lebih banyak ruang disk daripada sisa dari {n} byte untuk semua kueri (query.spill); pilih rentang yang lebih pendek, grup yang lebih sedikit, atau batasi dengan limit",
  },
  "query-disk": {
    "query does not fit its memory (limits.query_memory) and cannot use the disk: {problem}":
      "kueri tidak muat dalam memorinya (limits.query_memory) dan tidak dapat memakai disk: {problem}",
  },
  "subquery-too-large": {
    "subquery gives more than {n} values; let it give fewer, such as with a filter":
      "subkueri menghasilkan lebih dari {n} nilai; kurangi, misalnya dengan filter",
  },
  timeout: {
    "the query ran out of time; ask for a shorter range or fewer groups":
      "waktu kueri habis; pilih rentang yang lebih pendek atau grup yang lebih sedikit",
  },
  cancelled: { "the query was cancelled": "kueri dibatalkan" },
  busy: {
    "too many long queries at once": "terlalu banyak kueri panjang sekaligus",
    "too many requests at once for {what}": "terlalu banyak permintaan sekaligus untuk {what}",
    "too many requests at once over HTTP/2": "terlalu banyak permintaan sekaligus melalui HTTP/2",
    "too many request bodies are under way": "terlalu banyak isi permintaan sedang dikirim",
    "query found no thread to run on: {problem}": "kueri tidak mendapat utas untuk berjalan: {problem}",
  },
  "shutting-down": { "the server is shutting down": "server sedang dimatikan" },
  internal: {
    "query stopped at a defect of catat; the log of the server has the place":
      "kueri terhenti karena cacat pada catat; tempatnya ada di log server",
  },
  // Who may do what
  "key-required": {
    "this needs a key with the role {role}": "ini memerlukan kunci dengan peran {role}",
    "this needs a key": "ini memerlukan kunci",
    "nobody is signed in": "tidak ada yang masuk",
    "a request that comes through a proxy needs a key": "permintaan yang datang melalui proksi memerlukan kunci",
  },
  "not-allowed": {
    "this needs a key with the role {role}": "ini memerlukan kunci dengan peran {role}",
    "this needs a key": "ini memerlukan kunci",
    "view {name} belongs to somebody else": "tampilan {name} milik orang lain",
    "dashboard {name} belongs to somebody else": "dasbor {name} milik orang lain",
  },
  "group-out-of-scope": {
    "this needs a key for all groups; this key is limited to some":
      "ini memerlukan kunci untuk semua grup; kunci ini terbatas pada sebagian grup",
    "a key can only be created for groups that your own key covers":
      "kunci hanya dapat dibuat untuk grup yang dicakup kunci Anda sendiri",
  },
  "no-role": { "{name} has no role on this server": "{name} tidak memiliki peran di server ini" },
  "no-password": {
    "{name} signs in with an account at a provider and has no password":
      "{name} masuk dengan akun di penyedia dan tidak memiliki kata sandi",
  },
  "bad-key": { "unknown key": "kunci tidak dikenal" },
  "key-expired": {
    'the key "{name}" ({id}) expired at {time}': 'kunci "{name}" ({id}) kedaluwarsa pada {time}',
  },
  "key-revoked": { "the key was revoked or expired": "kunci telah dicabut atau kedaluwarsa" },
  "bad-credentials": { "the name or the password is wrong": "nama atau kata sandi salah" },
  "too-many-attempts": { "too many failed attempts to sign in": "terlalu banyak percobaan masuk yang gagal" },
  "too-many-failures": {
    "too many wrong keys came from this address": "terlalu banyak kunci salah datang dari alamat ini",
  },
  // What is not there
  "not-found": {
    "there is nothing at {path}": "tidak ada apa-apa di {path}",
    "there is no user {name}": "tidak ada pengguna {name}",
    "there is no view {name}": "tidak ada tampilan {name}",
    "there is no rule {name}": "tidak ada aturan {name}",
    "there is no link {name}": "tidak ada tautan {name}",
    "there is no alert {name}": "tidak ada peringatan {name}",
    "there is no report {name}": "tidak ada laporan {name}",
    "there is no channel {name}": "tidak ada saluran {name}",
    "there is no dashboard {name}": "tidak ada dasbor {name}",
    "there is no log group {name}": "tidak ada grup log {name}",
    "there is no lookup table {name}": "tidak ada tabel pencarian {name}",
    "dashboard {name} has no such version": "dasbor {name} tidak memiliki versi itu",
    "no query {id} is running": "tidak ada kueri {id} yang sedang berjalan",
    "no event has the trace id {id}": "tidak ada peristiwa dengan trace id {id}",
  },
  "event-gone": {
    "the event of {time} is no longer there: its retention is over, or it was deleted":
      "peristiwa dari {time} sudah tidak ada: masa simpannya habis, atau telah dihapus",
  },
};

/** What to do instead: the same wherever it is said. */
export const HINTS: Sentences = {
  'did you mean the command "{word}"?': 'mungkin maksud Anda perintah "{word}"?',
  "did you mean {or}?": "mungkin maksud Anda {or}?",
  "see /docs/{page}": "lihat /docs/{page}",
  "catat help query describes `{word}`": "catat help query menjelaskan `{word}`",
  "commands are fields, filter, stats, sort, limit, parse, display, dedup and some more":
    "perintahnya antara lain fields, filter, stats, sort, limit, parse, display, dan dedup",
  // Of what stands in a query
  "put a `|` before `{word}`": "beri `|` sebelum `{word}`",
  "a `{sign}` before this is not closed: write `{closing}`": "`{sign}` sebelum ini belum ditutup: tulis `{closing}`",
  "a field of that name is written `{word}` in backticks":
    "bidang dengan nama itu ditulis `{word}` di antara tanda petik terbalik",
  "commands are separated by `|` or stand on lines of their own":
    "perintah dipisahkan dengan `|` atau ditulis di baris tersendiri",
  "put a comma between fields; commands are separated by `|` or stand on lines of their own":
    "beri koma di antara bidang; perintah dipisahkan dengan `|` atau ditulis di baris tersendiri",
  "groups follow by: stats count(*) by host": "kelompok ditulis setelah by: stats count(*) by host",
  "take away the comma before by": "hapus koma sebelum by",
  "one more must follow the comma, or take the comma away": "lanjutkan setelah koma, atau hapus komanya",
  "one operator is enough": "satu operator sudah cukup",
  "a comment starts with #": "komentar diawali #",
  "a field is missing before the operator": "bidang sebelum operator belum ada",
  "limit takes one number of rows and nothing else": "limit hanya menerima satu bilangan: jumlah baris",
  "write filter before a condition": "tulis filter sebelum syarat",
  "write filter before a condition, such as filter status >= 500":
    "tulis filter sebelum syarat, misalnya filter status >= 500",
  "write a condition: filter status >= 500": "tulis sebuah syarat: filter status >= 500",
  "write an aggregate: stats count(*) by host": "tulis sebuah agregat: stats count(*) by host",
  "write an aggregate first, such as count(*)": "tulis agregat lebih dulu, misalnya count(*)",
  "write a field: sort @timestamp desc": "tulis sebuah bidang: sort @timestamp desc",
  "write a number of rows such as 20": "tulis jumlah baris, misalnya 20",
  'write a list: in ["a", "b"]': 'tulis sebuah daftar: in ["a", "b"]',
  "write a text in quotes, or an expression between slashes: /err|warn/":
    "tulis teks di antara tanda kutip, atau ekspresi di antara garis miring: /err|warn/",
  'write the names in quotes: source "app/*"': 'tulis nama di antara tanda kutip: source "app/*"',
  'write the pattern in quotes: parse @message "user=* took=*" as user, took':
    'tulis pola di antara tanda kutip: parse @message "user=* took=*" as user, took',
  "write `as` before the names": "tulis `as` sebelum nama-namanya",
  "write {length} without the space": "tulis {length} tanpa spasi",
  "name fields: fields @timestamp, @message": "sebutkan bidangnya: fields @timestamp, @message",
  "name fields, with commas between": "sebutkan bidangnya, dipisahkan koma",
  "an empty query shows everything; stats count(*) counts it":
    "kueri kosong menampilkan semuanya; stats count(*) menghitungnya",
  "groups stand inside of stats: stats count(*) by host": "kelompok ditulis di dalam stats: stats count(*) by host",
  "bins stand inside of stats: stats count(*) by bin(5m)": "bin ditulis di dalam stats: stats count(*) by bin(5m)",
  "filter after stats: stats count(*) as n by host | filter n > 3":
    "beri filter setelah stats: stats count(*) as n by host | filter n > 3",
  "join conditions in one filter: filter a = 1 and b = 2": "gabungkan syarat dalam satu filter: filter a = 1 and b = 2",
  "join conditions in one filter: filter a = 1 or b = 2": "gabungkan syarat dalam satu filter: filter a = 1 or b = 2",
  "units are ms, s, m, h, d, w, mo, q and y": "satuannya ms, s, m, h, d, w, mo, q, dan y",
  "the same as a query: filter @any like {text}": "sama dengan kueri: filter @any like {text}",
  "searched with its slashes; as a regular expression: filter @any like {text}":
    "dicari beserta garis miringnya; sebagai ekspresi reguler: filter @any like {text}",
  "`{word}` is no command; {hint}": "`{word}` bukan perintah; {hint}",
  // Of fields, groups and tables
  "a text is written in quotes: {text}": "teks ditulis di antara tanda kutip: {text}",
  "these events have no fields besides @message, @level and @timestamp":
    "peristiwa ini hanya memiliki bidang @message, @level, dan @timestamp",
  "the fields are {names}": "bidang yang ada: {names}",
  "fields are {names} and {n} more": "bidang yang ada: {names}, dan {n} lagi",
  "shown are {names}": "yang tampil: {names}",
  "GET /api/v1/groups lists the groups": "daftar grup: GET /api/v1/groups",
  "{group} is left out: {files} with {size} would take more than archives.memory; ask about a shorter time, as its paths tell it":
    "{group} tidak disertakan: {files} berukuran {size} melebihi archives.memory; persempit waktunya sesuai yang tercantum di path",
  "upload it: catat lookups put NAME FILE, or PUT /api/v1/lookups/NAME":
    "unggah tabel itu: catat lookups put NAME FILE, atau PUT /api/v1/lookups/NAME",
  // Of times
  "ask with to={to}; the clock or the time zone of their sender is ahead":
    "tanyakan dengan to={to}; jam atau zona waktu pengirimnya terlalu maju",
  "write 2h, yesterday 14:00, now-1d/d, 2026-11-20 06:00..07:00, an RFC 3339 time or seconds since 1970":
    "tulis 2h, yesterday 14:00, now-1d/d, 2026-11-20 06:00..07:00, waktu RFC 3339, atau detik sejak 1970",
  "write the earlier time first": "tulis waktu yang lebih awal lebih dulu",
  "a range has two ends: 2026-11-20 06:00..07:00": "rentang memiliki dua ujung: 2026-11-20 06:00..07:00",
  "from lies before to": "awal (from) harus sebelum akhir (to)",
  "use a name of the tz database such as Asia/Jakarta": "pakai nama dari basis data tz, misalnya Asia/Jakarta",
  // Of access, and of what is not there
  "this one has the role {role}": "kunci ini memiliki peran {role}",
  "send it as Authorization: Bearer KEY; catat keys create makes one":
    "kirim sebagai Authorization: Bearer KEY; catat keys create membuatnya",
  "send the key in admin.key of the data directory as Authorization: Bearer":
    "kirim kunci dalam admin.key di direktori data sebagai Authorization: Bearer",
  "it may have been revoked; catat keys list shows those that are valid":
    "mungkin sudah dicabut; catat keys list menampilkan yang berlaku",
  "save one of your own from it": "simpan salinan milik Anda sendiri",
  "it may be older than the retention, outside the range, or in groups that this key does not cover":
    "mungkin lebih lama dari masa simpan, di luar rentang, atau di grup yang tidak dicakup kunci ini",
  "what is left around its time is found by a query with from and to":
    "yang tersisa di sekitar waktunya dapat ditemukan dengan kueri from dan to",
};

/** What may be expected in a query, as the server names it. */
export const EXPECTED: Sentences = {
  "a command such as fields, filter or stats": "perintah seperti fields, filter, atau stats",
  "a field, a value or a function": "bidang, nilai, atau fungsi",
  "a text with stars or a /regular expression/": "teks dengan bintang atau /ekspresi reguler/",
  "a text in quotes or a /regular expression/": "teks di antara tanda kutip atau /ekspresi reguler/",
  "a text in quotes": "teks di antara tanda kutip",
  'a list such as ["a", "b"]': 'daftar seperti ["a", "b"]',
  "a name": "nama",
  "a whole number": "bilangan bulat",
  "an operator": "operator",
  "a number or a text": "bilangan atau teks",
  "the name of a table": "nama tabel",
  "an option such as max=10": "opsi seperti max=10",
  "a value": "nilai",
  "a query in brackets": "kueri di dalam kurung",
  "the end of the query": "akhir kueri",
};
