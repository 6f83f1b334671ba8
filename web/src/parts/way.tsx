// Links within the page.

import type { ComponentChildren } from "preact";

import { address, changed, go, view, type View } from "../view.ts";

/** A link to another view, which differs from this one by `to`; it has a label, or children. */
export function Way({
  to,
  label,
  children,
  ...more
}: {
  to: Partial<View>;
  label?: string;
  children?: ComponentChildren;
  class?: string;
  "data-testid"?: string;
  "aria-current"?: "page" | undefined;
}) {
  const click = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={address(changed(view.value, to))} onClick={click} {...more}>
      {label}
      {children}
    </a>
  );
}
