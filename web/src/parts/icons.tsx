// The few pictures of the page, drawn with the text's colour.

import type { ComponentProps } from "preact";

const PATHS = {
  search: "M7 1.5a5.5 5.5 0 1 0 3.4 9.8l3.4 3.4 1-1-3.4-3.4A5.5 5.5 0 0 0 7 1.5Zm0 1.5a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z",
  clock:
    "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM7.2 4v4.6l3.3 1.9.8-1.3-2.6-1.5V4Z",
  layers: "M8 1 1 4.8l7 3.8 7-3.8Zm-5.3 6.4L1 8.3l7 3.8 7-3.8-1.7-.9L8 10.2Zm0 3.4L1 11.7l7 3.8 7-3.8-1.7-.9L8 13.6Z",
  play: "M4 2.3v11.4L13.5 8Z",
  history: "M8 2a6 6 0 1 1-5.8 4.4l1.5.4A4.5 4.5 0 1 0 8 3.5V6L4.3 2.75 8-.5Zm-.7 3.5h1.4v2.7l2 1.2-.7 1.2-2.7-1.6Z",
  pause: "M4 3h2.8v10H4Zm5.2 0H12v10H9.2Z",
  live: "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM4 3.1 2.9 2a8.4 8.4 0 0 0 0 12L4 12.9a6.9 6.9 0 0 1 0-9.8Zm8 0a6.9 6.9 0 0 1 0 9.8l1.1 1.1a8.4 8.4 0 0 0 0-12Z",
  stop: "M3.5 3.5h9v9h-9Z",
  link: "M6.6 9.4a3 3 0 0 0 4.2 0l2.5-2.5a3 3 0 0 0-4.2-4.2L8 3.8l1 1 1.1-1.1a1.5 1.5 0 0 1 2.1 2.1L9.8 8.4a1.5 1.5 0 0 1-2.1 0Zm2.8-2.8a3 3 0 0 0-4.2 0L2.7 9.1a3 3 0 0 0 4.2 4.2L8 12.2l-1-1-1.1 1.1a1.5 1.5 0 0 1-2.1-2.1l2.5-2.5a1.5 1.5 0 0 1 2.1 0Z",
  more: "M3 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Zm5 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Zm5 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Z",
  sun: "M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM7.3 1h1.4v2H7.3Zm0 12h1.4v2H7.3ZM1 7.3h2v1.4H1Zm12 0h2v1.4h-2ZM2.6 3.6l1-1 1.4 1.4-1 1Zm8.4 8.4 1-1 1.4 1.4-1 1Zm1-7-1-1 1.4-1.4 1 1ZM3.6 13.4l-1-1L4 11l1 1Z",
  moon: "M6.2 1.2a7 7 0 1 0 8.6 8.6A5.8 5.8 0 0 1 6.2 1.2Z",
  auto: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.5v11a5.5 5.5 0 0 0 0-11Z",
  help: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11Zm-.1 1.6c-1.4 0-2.4.8-2.5 2.2h1.5c0-.6.4-.9 1-.9s1 .3 1 .9c0 .4-.2.6-.8 1-.7.5-1 .9-1 1.8v.4h1.5v-.3c0-.4.1-.6.7-1 .8-.5 1.2-1.1 1.2-1.9 0-1.4-1.1-2.2-2.6-2.2ZM7.1 10.4V12h1.6v-1.6Z",
  chevron: "M5.5 3 10.5 8l-5 5-1-1 4-4-4-4Z",
  plus: "M7.2 3h1.6v4.2H13v1.6H8.8V13H7.2V8.8H3V7.2h4.2Z",
  minus: "M3 7.2h10v1.6H3Z",
  only: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9Zm0 2a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z",
  exists: "M3 3h9v1.5H4.7v2.8H11v1.5H4.7v2.7H12V13H3Z",
  copy: "M5 1h8a1.5 1.5 0 0 1 1.5 1.5v8H13V2.5H5Zm-2 3h7A1.5 1.5 0 0 1 11.5 5.5v8A1.5 1.5 0 0 1 10 15H3a1.5 1.5 0 0 1-1.5-1.5v-8A1.5 1.5 0 0 1 3 4Zm0 1.5v8h7v-8Z",
  column: "M2 2h12v12H2Zm1.5 1.5v9h2.7v-9Zm4.2 0v9h4.8v-9Z",
  close: "m4 3 4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4-4-4Z",
  zoomOut:
    "M7 1.5a5.5 5.5 0 1 0 3.4 9.8l3.4 3.4 1-1-3.4-3.4A5.5 5.5 0 0 0 7 1.5Zm0 1.5a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4.5 6.3v1.4h5V6.3Z",
  pin: "M5.5 1.5h5v1.3l-.8.7v3l2.3 2v1.3H8.7V14h-1.4V9.8H4V8.5l2.3-2v-3l-.8-.7Z",
  table: "M1.5 2.5h13v11h-13ZM3 4v2h10V4Zm0 3.4v1.7h4.3V7.4Zm5.7 0v1.7H13V7.4ZM3 10.5V12h4.3v-1.5Zm5.7 0V12H13v-1.5Z",
  sidebar: "M1.5 2.5h13v11h-13ZM3 4v8h2.7V4Zm4.2 0v8H13V4Z",
  format: "M2 2.5h12V4H2Zm3 4.7h9v1.5H5ZM5 12h9v1.5H5Z",
  move: "M8 .5 10.8 3.3H8.75V7.25H12.7V5.2L15.5 8l-2.8 2.8V8.75H8.75v3.95h2.05L8 15.5l-2.8-2.8h2.05V8.75H3.3v2.05L.5 8l2.8-2.8v2.05h3.95V3.3H5.2Z",
  down: "m3 5.5 5 5 5-5 1 1-6 6-6-6Z",
} as const;

/** Name of a picture. */
export type IconName = keyof typeof PATHS;

/** A picture that says nothing by itself: the button around it has the name. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}

/** A button that is a picture; its label says what it does. */
export function IconButton({
  icon,
  class: own = "tiny",
  ...attributes
}: { icon: IconName; class?: string } & Omit<ComponentProps<"button">, "class" | "icon">) {
  return (
    <button type="button" class={own} {...attributes}>
      <Icon name={icon} />
    </button>
  );
}
