// The way in, where the server asks for one: name and password, or a key.

import { useRef, useState } from "preact/hooks";

import { ApiError, keyWanted, storedKey, storeKey } from "../api.ts";
import { askAgain, signIn } from "../session.ts";
import { rich, t } from "../texts.ts";
import { useAttempt, Wrong } from "./attempt.tsx";
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
      {byKey ? <ByKey /> : <ByPassword />}
      <p class="sign-in-other">
        <button type="button" class="button quiet" data-testid="sign-in-other" onClick={() => setByKey(!byKey)}>
          {byKey ? t("Sign in with a password") : t("Use a key instead")}
        </button>
      </p>
    </Dialog>
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
