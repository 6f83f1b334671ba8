// The manual: a key for the search, and contents that make room on a small screen. Without it the page is whole and readable.
(function () {
  "use strict";
  const find = document.getElementById("find");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === find) return;
    event.preventDefault();
    find.focus();
    find.select();
  });
  const contents = document.getElementById("contents");
  // On a small screen the text comes first.
  if (matchMedia("(max-width: 900px)").matches) contents.open = false;
  // The page that is shown is in sight in a long list.
  else contents.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
})();
