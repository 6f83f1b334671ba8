// A button with a text.

import type { ComponentProps } from "preact";

/** A button; like a link unless it has another class. */
export function Button({
  label,
  class: own = "link",
  ...attributes
}: { label: string; class?: string } & Omit<ComponentProps<"button">, "class" | "label" | "children">) {
  return (
    <button type="button" class={own} {...attributes}>
      {label}
    </button>
  );
}
