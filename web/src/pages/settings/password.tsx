// A form for another password: one's own, with the one so far, or somebody else's.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import { told, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { send } from "../../session.ts";
import { t } from "../../texts.ts";

interface PasswordProps {
  name: string;
  isOwn: boolean;
  onDone: () => void;
}

/** The form. The name is in it for those who keep passwords for people. */
export function PasswordForm({ name, isOwn, onDone }: PasswordProps) {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (password !== again) return setProblem(t("the new passwords differ"));
    setProblem("");
    try {
      await send(
        "PUT",
        `api/v1/users/${encodeURIComponent(name)}/password`,
        isOwn ? { password, current } : { password },
      );
      tell(isOwn ? t("Your password was changed") : t("The password of {name} was changed", { name }));
      onDone();
    } catch (error) {
      setProblem(
        error instanceof ApiError && error.code === "bad-credentials"
          ? t("the current password is wrong")
          : told(error),
      );
    }
  };
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>("label input")?.focus(), []);
  return (
    <form
      ref={form}
      class="key-form"
      data-testid="password-form"
      aria-label={isOwn ? t("Your password") : t("Password of {name}", { name })}
      onSubmit={(event) => void submit(event)}
    >
      <input type="hidden" name="username" autocomplete="username" value={name} />
      {isOwn && (
        <label>
          {t("Current password")}{" "}
          <input
            type="password"
            required
            autocomplete="current-password"
            value={current}
            onInput={(event) => setCurrent(event.currentTarget.value)}
          />
        </label>
      )}
      <label>
        {t("New password")}{" "}
        <input
          type="password"
          required
          minLength={8}
          autocomplete="new-password"
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <label>
        {t("New password, again")}{" "}
        <input
          type="password"
          required
          autocomplete="new-password"
          value={again}
          onInput={(event) => setAgain(event.currentTarget.value)}
        />
      </label>
      <Wrong text={problem} />
      <p class="buttons">
        <Button type="submit" class="button primary" label={t("Change password")} />{" "}
        <Button class="button" label={t("Cancel")} onClick={onDone} />
      </p>
    </form>
  );
}
