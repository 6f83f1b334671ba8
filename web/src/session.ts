// Who asks: a user who signed in, a key that was typed in, or nobody.

import { signal } from "@preact/signals";

import { ApiError, asker, forgetAccess, json, sent, signedIn, storeKey } from "./api.ts";
import { askGroups } from "./ask.ts";
import { asked } from "./view.ts";

/** Who the server takes this page for. */
export interface Who {
  name: string;
  role: string;
  groups: string[];
  /** Whether this is a user with a session, and no key. */
  user: boolean;
  /** How the user signed in: `password`, `provider` or `proxy`; empty for a key. */
  signIn: string;
}

/** `undefined` as long as it is not known, `null` for nobody. */
export const who = signal<Who | null | undefined>(undefined);

/** Sends JSON; an answer without a body is none. */
export function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  return json<T>(path, sent(method, body));
}

/** Who was here last: whoever signs in next may be somebody else. */
let last = "";

/** Asks who one is. */
export async function askWho(): Promise<void> {
  const by = asker();
  try {
    const answer = await json<Partial<Who> & { sign_in?: string | null }>("api/v1/session");
    if (by !== asker()) return;
    who.value = {
      name: answer.name ?? "",
      role: answer.role ?? "",
      groups: answer.groups ?? [],
      user: answer.user === true,
      signIn: answer.sign_in ?? "",
    };
    last = who.value.user ? who.value.name : "";
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && by === asker()) who.value = null;
  }
}

/** Everything that failed for want of a key is asked again. */
export function askAgain(): void {
  signedIn();
  asked.value += 1;
  askGroups();
  void askWho();
}

/** Begins a session. What somebody else has left on the screen goes. */
export async function signIn(name: string, password: string): Promise<void> {
  storeKey("");
  await send("POST", "api/v1/session", { name, password });
  if (last !== "" && last !== name) location.reload();
  else askAgain();
}

/** Ends the session at the server, and at the provider where it offers that, and forgets a key that was typed in. */
export async function signOut(): Promise<void> {
  storeKey("");
  const { url } = await send<{ url?: string | null }>("DELETE", "api/v1/session");
  forgetAccess();
  who.value = undefined;
  // What is on the screen was for whoever has left, also for those who go back to it.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  location.assign(url ?? document.baseURI);
}
