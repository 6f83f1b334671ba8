// The language reference: narrows the text to what is typed, section by section and row by row. Without it the page is
// whole and readable.
(function () {
  "use strict";
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const contents = document.getElementById("contents");
  const sections = Array.from(document.querySelectorAll("#text > section"));
  const links = Array.from(document.querySelectorAll("#contents li"));
  const texts = sections.map((section) => section.textContent.toLowerCase());

  function narrow() {
    const wanted = find.value.trim().toLowerCase();
    let shown = 0;
    sections.forEach((section, at) => {
      const heading = section.firstElementChild ? section.querySelector("h1, h2, h3").textContent.toLowerCase() : "";
      const isShown = wanted === "" || texts[at].includes(wanted);
      section.hidden = !isShown;
      if (links[at]) links[at].hidden = !isShown;
      if (isShown) shown += 1;
      // In long tables only the rows that hold it; all of them where the heading does.
      const isWhole = wanted === "" || heading.includes(wanted);
      for (const row of section.querySelectorAll("tbody tr"))
        row.hidden = !isWhole && !row.textContent.toLowerCase().includes(wanted);
    });
    found.textContent = wanted === "" ? "" : shown === 0 ? "Nothing found" : `${shown} of ${sections.length} sections`;
  }

  find.addEventListener("input", narrow);
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || find.value === "") return;
    find.value = "";
    narrow();
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === find) return;
    event.preventDefault();
    find.focus();
  });
  // On a small screen the text comes first.
  if (matchMedia("(max-width: 900px)").matches) contents.open = false;
  // A link from the contents must not lead to something hidden.
  addEventListener("hashchange", () => {
    const place = document.getElementById(location.hash.slice(1));
    if (place && place.closest("[hidden]")) {
      find.value = "";
      narrow();
      place.scrollIntoView();
    }
  });
  narrow();
})();
