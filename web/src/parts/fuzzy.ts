// Finds names by some of their letters.

/** How well `name` holds the letters of `sought` in their order: higher is better, `null` where it does not. */
function scoreOf(name: string, sought: string): number | null {
  let score = 0;
  let at = 0;
  let last = -2;
  for (const letter of sought) {
    const found = name.indexOf(letter, at);
    if (found < 0) return null;
    const begins = found === 0 || /[\s/\-_.:,]/.test(name[found - 1] ?? "");
    score += found === last + 1 ? 6 : begins ? 4 : -Math.min(found - at, 3);
    last = found;
    at = found + 1;
  }
  // A whole word is meant more often than letters that happen to follow each other.
  return score + (name.includes(sought) ? 10 : 0) - name.length / 100;
}

/** The entries whose name holds every word of `sought`, the best first; as they stand where nothing is sought. */
export function fuzzy<T>(all: readonly T[], sought: string, nameOf: (one: T) => string): T[] {
  const words = sought
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const found: { one: T; score: number }[] = [];
  for (const one of all) {
    const name = nameOf(one).toLowerCase();
    const scores = words.map((word) => scoreOf(name, word));
    if (scores.every((score) => score !== null))
      found.push({ one, score: scores.reduce((sum: number, score) => sum + (score ?? 0), 0) });
  }
  return found.sort((a, b) => b.score - a.score).map(({ one }) => one);
}
