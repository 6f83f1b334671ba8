// Runs while the page's scripts are still on their way (a classic script in the head): asks for what a dashboard needs
// before it can be drawn. Its parts import each other, so that the browser would come to know of them one after the other.
(function () {
  var path = location.pathname.slice(new URL(document.baseURI).pathname.length);
  if (!/^dashboards(\/|$)/.test(path)) return;
  (document.currentScript.dataset.boards || "").split(" ").forEach(function (name) {
    var link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = name;
    if (name) document.head.append(link);
  });
  // What is ready-made depends on the range and the language, and a key is the page's to send.
  var board = /^dashboards\/([\w.-]+)\/?$/.exec(path);
  try {
    if (!board || sessionStorage.getItem("catat.key")) return;
  } catch (_) {
    // Storage is switched off: there is no key.
  }
  var asked = "api/v1/dashboards/" + board[1];
  window.catatEarly = { path: asked, answer: fetch(new URL(asked, document.baseURI), { cache: "no-store" }) };
  // Who takes the answer says what is wrong with it.
  window.catatEarly.answer.catch(function () {});
})();
