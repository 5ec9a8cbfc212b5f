// Loaded in <head> before the stylesheet, and blocking, so that no page is ever drawn first in the wrong colours.
(function () {
  var theme;
  try {
    theme = localStorage.getItem("leadline-theme");
  } catch (refused) {
    return;
  }
  if (theme !== "light" && theme !== "dark" && theme !== "night") return;
  document.documentElement.setAttribute("data-theme", theme);
  var scheme = document.querySelector('meta[name="color-scheme"]');
  if (scheme) scheme.setAttribute("content", theme === "light" ? "light" : "dark");
})();
