// The page in Indonesian: every text of the page, and what it says there.

/** English texts and their Indonesian. */
export const INDONESIAN: Readonly<Record<string, string>> = {
  "Explore": "Jelajah",
  "Alerts": "Peringatan",
  "Groups": "Grup",
  "Sources": "Sumber",
  "Settings": "Pengaturan",
};
