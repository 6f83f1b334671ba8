// Runs before the first paint (a classic script in the head), so that a chosen theme never flashes.
(function () {
  try {
    var theme = localStorage.getItem("catat.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (_) {
    // Storage is switched off: the system's theme it is.
  }
})();
