// The way in, where the server asks for one: name and password, or a key.

import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError, json, keyWanted, signInProblem, storedKey, storeKey } from "../api.ts";
import { askAgain, signIn } from "../session.ts";
import { rich, t, text } from "../texts.ts";
import { useAttempt, Wrong } from "./attempt.tsx";
import { printable, sentence } from "../format.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./layers.tsx";

export function SignIn() {
  const [byKey, setByKey] = useState(storedKey() !== "");
  const why = keyWanted.value;
  return (
    <Dialog open={why !== null} onClose={() => (keyWanted.value = null)} label={t("Sign in")}>
      {why !== null && why !== "" && (
        <p class="note warning" role="alert" data-testid="sign-in-why">
          {why}
        </p>
      )}
      <Wrong text={problemText(signInProblem.value)} />
      {byKey ? <ByKey /> : <ByPassword />}
      <Providers />
      <p class="sign-in-other">
        <button type="button" class="button quiet" data-testid="sign-in-other" onClick={() => setByKey(!byKey)}>
          {byKey ? t("Sign in with a password") : t("Use a key instead")}
        </button>
      </p>
    </Dialog>
  );
}

/** Why a sign-in with a provider failed. The details are in the server's log: some of them are the provider's words. */
const PROBLEMS: Readonly<Record<string, string>> = {
  "provider-unreachable": text("The provider does not answer. Try again, or sign in with a password."),
  "provider-bad-answer": text("The provider’s answer cannot be used. The server’s log has the reason."),
  "provider-refused": text("The provider refused the sign-in."),
  "provider-busy": text("Too many people are signing in just now. Try again in a moment."),
  "sign-in-expired": text("The sign-in took more than 10 minutes or began in another browser. Try again."),
  "bad-token": text("The provider’s answer could not be verified. The server’s log has the reason."),
  "no-account-name": text("The provider sends no name that can be used here. The server’s log has the reason."),
  "bad-name": text("The provider sends no name that can be used here. The server’s log has the reason."),
  "account-name-taken": text("Another user has the name of your account. An administrator can remove that user."),
  "no-role": text("Your account has no role on this server. An administrator can give it one."),
  "too-many-attempts": text("too many failed attempts to sign in"),
};

function problemText(code: string): string {
  return code === "" ? "" : sentence(t(PROBLEMS[code] ?? text("You were not signed in.")));
}

/** A provider that people may sign in with: what it is called, and where that begins. */
interface Provider {
  name: string;
  path: string;
}

/** Asks for the providers. Without an answer there are none: the form has other ways. */
async function askProviders(): Promise<Provider[]> {
  try {
    return (await json<{ providers?: Provider[] }>("api/v1/session/providers")).providers ?? [];
  } catch {
    return [];
  }
}

/** Providers, after the fields: they come later, and what has the focus stays in its place. */
function Providers() {
  const [providers, setProviders] = useState<readonly Provider[]>([]);
  const [left, setLeft] = useState("");
  useEffect(() => void askProviders().then(setProviders), []);
  useEffect(() => {
    // The browser's Back button returns from the provider to this form.
    const back = () => setLeft("");
    addEventListener("pageshow", back);
    return () => removeEventListener("pageshow", back);
  }, []);
  const here = location.pathname + location.search + location.hash;
  return (
    <>
      {providers.map(({ name, path }) => (
        <p key={path} class="sign-in-other">
          <a
            class="button"
            href={new URL(`${path}?to=${encodeURIComponent(here)}`, document.baseURI).href}
            data-testid="sign-in-provider"
            onClick={() => setLeft(path)}
          >
            {left === path ? t("Signing in…") : t("Sign in with {name}", { name: printable(name) })}
          </a>
        </p>
      ))}
    </>
  );
}

function ByPassword() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { problem, busy, attempt } = useAttempt((error) =>
    error instanceof ApiError ? error.sentence : t("something went wrong on this page"),
  );
  const secret = useRef<HTMLInputElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    await attempt(() => signIn(name.trim(), password));
    setPassword("");
    secret.current?.focus();
  };
  return (
    <form class="key-form" data-testid="sign-in" onSubmit={(event) => void submit(event)}>
      <h2>{t("Sign in")}</h2>
      <label>
        {t("Name")}{" "}
        <input
          name="name"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        {t("Password")}{" "}
        <input
          ref={secret}
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <Wrong text={problem} />
      <button type="submit" class="button primary" disabled={busy}>
        {busy ? t("Signing in…") : t("Sign in")}
      </button>
    </form>
  );
}

function ByKey() {
  const [key, setKey] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    storeKey(key.trim());
    askAgain();
  };
  return (
    <form class="key-form" onSubmit={submit}>
      <h2>{t("Use a key")}</h2>
      <p>
        {rich("Create one with {command}. It is stored for this tab only.", {
          command: <code>catat keys create --name page --role read</code>,
        })}
      </p>
      <label>
        {t("Key")}{" "}
        <input
          type="password"
          autocomplete="off"
          required
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <Button type="submit" class="button primary" label={t("Continue")} />
    </form>
  );
}
