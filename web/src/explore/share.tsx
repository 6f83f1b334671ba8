// The way to links, files, commands and saved views of what is on screen. What it opens is loaded when it is wanted.

import { Icon } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { Menu } from "../parts/layers.tsx";
import { t } from "../texts.ts";

const ShareMenu = later(async () => (await import("./share_menu.tsx")).ShareMenu, true);

/** The button and its menu. */
export function Share() {
  return (
    <Menu
      name="share"
      testId="share"
      label={t("Share, save and export")}
      isPicture
      align="right"
      button={<Icon name="more" />}
    >
      <ShareMenu />
    </Menu>
  );
}
