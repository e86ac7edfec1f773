// Light, dark, or as the device: kept in a cookie, so that the server sends the right page and nothing flashes.

const YEAR_S = 365 * 24 * 3600;

export function watchTheme(): void {
  for (const choice of document.querySelectorAll<HTMLElement>("[data-theme-choice]")) choice.hidden = false;
  show(document.documentElement.dataset["theme"] ?? "");
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-theme-is]");
    if (button) choose(button.dataset["themeIs"] ?? "");
  });
}

function choose(theme: string): void {
  document.cookie = `theme=${theme}; path=/; max-age=${theme ? YEAR_S : 0}; samesite=lax`;
  if (theme) document.documentElement.dataset["theme"] = theme;
  else delete document.documentElement.dataset["theme"];
  show(theme);
}

function show(theme: string): void {
  for (const button of document.querySelectorAll<HTMLElement>("[data-theme-is]"))
    button.setAttribute("aria-pressed", String(button.dataset["themeIs"] === theme));
}
