// Menus are <details>; this closes them when one looks elsewhere or presses Escape.

export function watchMenus(): void {
  document.addEventListener("click", (event) => closeAllBut((event.target as Element).closest("[data-menu]")));
  document.addEventListener("focusin", (event) => closeAllBut((event.target as Element).closest("[data-menu]")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector<HTMLDetailsElement>("[data-menu][open]");
    closeAllBut(null);
    open?.querySelector<HTMLElement>("summary")?.focus();
  });
}

function closeAllBut(kept: Element | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("[data-menu][open]"))
    if (menu !== kept) menu.open = false;
}
