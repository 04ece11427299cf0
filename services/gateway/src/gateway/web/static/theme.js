// Applies the chosen theme before the first paint; a button with data-theme-toggle changes it. Shared by all pages, and
// no module, because modules run only after the first paint.
(() => {
  const KEY = "theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  function remember(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {} // a browser that keeps nothing still shows the theme until it closes
  }
  function recall() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }
  function tell() {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) button.setAttribute("aria-pressed", String(isDark()));
  }

  const chosen = recall();
  if (chosen) root.dataset.theme = chosen;
  document.addEventListener("DOMContentLoaded", tell);
  system.addEventListener("change", tell);
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("[data-theme-toggle]")) return;
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    tell();
  });
})();
