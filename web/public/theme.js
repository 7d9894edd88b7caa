// Runs before the first paint, so that a page that was dark is never white first.
(function () {
  let choice = "system";
  try {
    choice = localStorage.getItem("headgate.theme") || "system";
  } catch {
    // storage may be forbidden: the system's theme does
  }
  if (choice === "system") {
    const more = matchMedia("(prefers-contrast: more)").matches || matchMedia("(forced-colors: active)").matches;
    choice = more ? "contrast" : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.dataset.theme = choice;
})();
