"use strict";
// Typesets every formula of the page, then tells how wide it is, so that print can shrink those wider than the paper.
(function () {
  var root = document.documentElement;
  var formulas = document.querySelectorAll(".math");
  formulas.forEach(function (place) {
    var source = place.textContent;
    var display = place.classList.contains("display");
    try {
      katex.render(source, place, {
        displayMode: display,
        throwOnError: true,
        strict: "error",
        trust: function (asked) { throw new Error(asked.command + " is not allowed"); },
        maxExpand: 1000,
        maxSize: 40,
      });
      place.classList.add("typeset");
    } catch (error) {
      place.textContent = source;
      place.title = String(error.message);
      place.classList.add("katex-error");
    }
  });
  root.dataset.math = "done";
  root.dataset.mathErrors = String(document.querySelectorAll(".katex-error").length);

  // --wide: width in em, for print. --fit: how far to shrink on the screen; what is still too wide then scrolls.
  var measure = function () {
    document.querySelectorAll(".math.display").forEach(function (place) {
      var inner = place.querySelector(".katex-html");
      if (!inner) return;
      var width = 0;
      Array.from(inner.children).forEach(function (part) { width += part.getBoundingClientRect().width; });
      var wide = width / parseFloat(getComputedStyle(place).fontSize);
      var room = place.clientWidth / parseFloat(getComputedStyle(place.parentNode).fontSize);
      place.style.setProperty("--wide", wide.toFixed(2));
      place.style.setProperty("--fit", Math.min(1, Math.max(0.78, room / (wide + 0.5))).toFixed(3));
    });
  };
  measure();
  addEventListener("resize", measure);
  if (document.fonts && document.fonts.ready) document.fonts.ready.then(measure);
})();
