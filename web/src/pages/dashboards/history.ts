// Steps of changes that can be undone and done again.

/** What there is now, what was before, and what was undone. */
export interface History<T> {
  now: T;
  before: readonly T[];
  after: readonly T[];
  /** What the last change was about; changes about the same thing soon after each other are one step. */
  about: string;
  at: number;
}

const STEPS_MAX = 100;
/** Changes about the same thing within this time are one step. */
const SAME_STEP_MS = 1500;

/** Begins with a state. */
export function begun<T>(now: T): History<T> {
  return { now, before: [], after: [], about: "", at: 0 };
}

/** Takes a new state. Typing in one field is one step, as long as nobody pauses. */
export function changedTo<T>(of: History<T>, now: T, about: string, at: number): History<T> {
  if (now === of.now) return of;
  const isSame = about !== "" && about === of.about && at - of.at < SAME_STEP_MS && of.before.length > 0;
  const before = isSame ? of.before : [...of.before, of.now].slice(-STEPS_MAX);
  return { now, before, after: [], about, at };
}

/** Goes back one step. */
export function undone<T>(of: History<T>): History<T> {
  const last = of.before.at(-1);
  if (last === undefined) return of;
  return { now: last, before: of.before.slice(0, -1), after: [of.now, ...of.after], about: "", at: 0 };
}

/** Goes forward again. */
export function redone<T>(of: History<T>): History<T> {
  const [next, ...rest] = of.after;
  if (next === undefined) return of;
  return { now: next, before: [...of.before, of.now], after: rest, about: "", at: 0 };
}
