// Small shared parts: the one open layer (a menu or a dialog), short messages, the clipboard.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { printable } from "../format.ts";
import { t } from "../texts.ts";

/** The layer that is open; Escape and a click elsewhere close it. */
export const layer = signal<
  | ""
  | "account"
  | "time"
  | "groups"
  | "share"
  | "help"
  | "palette"
  | "history"
  | "views"
  | "save-view"
  | "fields"
  | "mark"
  | "add-panel"
  | `column:${string}`
  | `board:${string}`
>("");

const told = signal("");
let toldTimer: ReturnType<typeof setTimeout> | undefined;

/** Says something briefly, on screen and to a screen reader. */
export function tell(text: string): void {
  told.value = text;
  clearTimeout(toldTimer);
  toldTimer = setTimeout(() => (told.value = ""), 2500);
}

/** Where brief messages appear. */
export function Told() {
  return (
    <div class="told" role="status" aria-live="polite">
      {told.value !== "" && <span>{printable(told.value)}</span>}
    </div>
  );
}

/** Puts a text on the clipboard, also where the page is not served securely. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr-only";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  tell(t("{what} copied", { what }));
}

interface MenuProps {
  name: typeof layer.value;
  label: string;
  /** What the button shows; with `isPicture` it has no text of its own and is named by the label. */
  button: ComponentChildren;
  isPicture?: boolean;
  children: ComponentChildren;
  testId: string;
  class?: string;
  align?: "left" | "right";
}

/** A button with a panel that it opens. */
export function Menu({
  name,
  label,
  button,
  children,
  testId,
  isPicture = false,
  class: extra = "",
  align = "left",
}: MenuProps) {
  const root = useRef<HTMLDivElement>(null);
  const open = layer.value === name;
  useEffect(() => {
    if (!open) return;
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node) && layer.peek() === name) layer.value = "";
    };
    const onFocus = (event: FocusEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target) && layer.peek() === name)
        layer.value = "";
    };
    document.addEventListener("pointerdown", onPointer);
    document.addEventListener("focusin", onFocus);
    const first = root.current?.querySelector<HTMLElement>("[data-autofocus]");
    first?.focus();
    return () => {
      document.removeEventListener("pointerdown", onPointer);
      document.removeEventListener("focusin", onFocus);
    };
  }, [open, name]);
  return (
    <div class={`menu ${extra}`} ref={root}>
      <button
        type="button"
        class="button"
        aria-expanded={open}
        aria-haspopup="dialog"
        aria-label={isPicture ? label : undefined}
        title={label}
        data-testid={testId}
        onClick={() => (layer.value = open ? "" : name)}
      >
        {button}
      </button>
      {open && (
        <div class={`panel ${align}`} role="dialog" aria-label={label} data-testid={`${testId}-panel`}>
          {children}
        </div>
      )}
    </div>
  );
}

/** A modal dialog of the platform. `onClose` may be told of it twice. */
export function Dialog({
  open,
  onClose,
  label,
  children,
}: {
  open: boolean;
  onClose: () => void;
  label: string;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // With the contents, not after them: a key pressed in between would find an empty dialog still open, and close the next one.
  useLayoutEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open && dialog.current?.open) dialog.current.close();
  }, [open]);
  const closed = () => {
    // The platform tells of a close later, when it may be open again.
    if (!dialog.current?.open) onClose();
  };
  return (
    <dialog
      ref={dialog}
      aria-label={label}
      onClose={closed}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      {open && children}
    </dialog>
  );
}
