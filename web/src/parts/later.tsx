// Parts of the page that are no part of the shell: each is loaded when it is first shown, and stays from then on.

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useLayoutEffect } from "preact/hooks";

import { t } from "../texts.ts";
import { Button } from "./button.tsx";

/** When nothing else is to be done; browsers that do not tell are given time for the first answers. */
function whenIdle(run: () => void): void {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(run, { timeout: 5000 });
  else setTimeout(run, 1000);
}

const style: { loaded?: Promise<void> | undefined } = {};

/** Loads the style of the parts, together with the first of them: nothing of it is fetched before the first paint. */
function styleParts(): Promise<void> {
  style.loaded ??= new Promise((resolve, reject) => {
    const sheet = document.querySelector<HTMLLinkElement>("link[data-parts]");
    if (sheet === null) return resolve();
    sheet.addEventListener("load", () => resolve(), { once: true });
    sheet.addEventListener(
      "error",
      () => {
        style.loaded = undefined;
        reject(new Error("the style of the parts could not be loaded"));
      },
      { once: true },
    );
    sheet.href = sheet.dataset["href"] ?? "";
  });
  return style.loaded;
}

/**
 * A part that is loaded once it is `wanted`, which it is where nothing else is said. What is surely opened `soon` is
 * loaded as soon as the browser has nothing else to do.
 */
export function later<P extends object>(
  load: () => Promise<ComponentType<P>>,
  soon = false,
): ComponentType<P & { wanted?: boolean }> {
  const part = signal<ComponentType<P> | null>(null);
  const state = signal<"" | "loading" | "failed">("");
  const fetchPart = async () => {
    if (part.peek() !== null || state.peek() === "loading") return;
    state.value = "loading";
    try {
      const [loaded] = await Promise.all([load(), styleParts()]);
      part.value = loaded;
      state.value = "";
    } catch {
      state.value = "failed";
    }
  };
  if (soon) whenIdle(() => void fetchPart());
  return function Later({ wanted = true, ...props }) {
    const Part = part.value;
    // Not after the first paint, as other effects: nothing is seen of a page before its part is there.
    useLayoutEffect(() => {
      if (wanted) void fetchPart();
    }, [wanted]);
    if (Part !== null) return <Part {...(props as unknown as P)} />;
    return wanted && state.value === "failed" ? <Missing /> : null;
  };
}

function Missing() {
  return (
    <p class="note error later" role="alert" data-testid="later-failed">
      {t("This part of the page could not be loaded: the server does not answer, or was updated.")}{" "}
      <Button class="button" label={t("Reload the page")} onClick={() => location.reload()} />
    </p>
  );
}
