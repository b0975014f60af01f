// Apply the theme that was chosen, or else the system's.

const system = matchMedia("(prefers-color-scheme: dark)");

export const chosenTheme = () => localStorage.getItem("theme") ?? "auto";

export function shownTheme() {
  const chosen = chosenTheme();
  return chosen === "auto" ? (system.matches ? "dark" : "light") : chosen;
}

export function applyTheme() {
  document.documentElement.dataset.theme = shownTheme();
}

export function chooseTheme(theme) {
  localStorage.setItem("theme", theme);
  applyTheme();
}

system.addEventListener("change", applyTheme);
applyTheme();
