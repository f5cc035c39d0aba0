// Whatever keeps the page from coming alive, it is a page without scripts then: nothing dead is shown, forms
// post, and what is under way is looked at again. Old browsers read this; what they cannot read is in boot.js.
(function () {
  var root = document.documentElement, touched = false;
  root.className = "js";
  root.plain = function () {
    if ("alive" in root) return;
    if (document.readyState === "loading") return document.addEventListener("DOMContentLoaded", root.plain);
    root.alive = false;
    root.className = "";
    var hidden = document.querySelectorAll("body noscript");
    for (var i = 0; i < hidden.length; i++) hidden[i].outerHTML = hidden[i].textContent;
    if (document.querySelector("progress")) setTimeout(function () { touched || location.reload(); }, 2000);
  };
  // What was begun is not thrown away.
  addEventListener("input", function () { touched = true; });
  addEventListener("error", root.plain);
  setTimeout(root.plain, 8000);
})();
