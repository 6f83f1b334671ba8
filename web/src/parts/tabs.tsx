// Tabs: the parts of a page, shown one at a time.

import { t } from "../texts.ts";
import { Way } from "./way.tsx";

/** A part: its name in the address, its title, and how many things are in it. */
interface Tab {
  tab: string;
  title: string;
  n?: number | undefined;
}

/** Links to the parts of a page. `testId` names the link of each. */
export function Tabs({ of, shown, testId }: { of: readonly Tab[]; shown: string; testId: (tab: string) => string }) {
  return (
    <div class="tabs" role="navigation" aria-label={t("Parts of this page")}>
      {of.map(({ tab, title, n }) => (
        <Way
          key={tab}
          to={{ tab, open: "" }}
          aria-current={tab === shown ? "page" : undefined}
          data-testid={testId(tab)}
        >
          {title}
          {n ? <span class="number"> {n}</span> : null}
        </Way>
      ))}
    </div>
  );
}
