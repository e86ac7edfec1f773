// Lines that are copied by a button (`data-copies`); where the browser keeps the clipboard closed, they are chosen instead.

const SHOWN_MS = 2500;

export function watchCopying(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copies]");
    const lines = button?.parentElement?.querySelector("code");
    if (button && lines) void copy(button, lines);
  });
}

async function copy(button: HTMLElement, lines: HTMLElement): Promise<void> {
  try {
    // Outside of a secure context there is no clipboard at all.
    await navigator.clipboard.writeText(lines.textContent ?? "");
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), SHOWN_MS);
  } catch {
    getSelection()?.selectAllChildren(lines);
  }
}
