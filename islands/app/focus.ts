// What had the focus may be gone once htmx has put something new in its place. Whoever uses the keyboard goes on from what stands there
// now: the same button of the new form, else the new part itself. Without this they would begin again at the top of the page. Whoever
// clicked is left alone: their next key, such as space for the video, is not meant for the button.

const TELLING = ["id", "name", "value", "type", "href", "formaction", "data-mark"];

let last: HTMLElement | null = null;
let lookedLike = "";
let byKeys = false;

type Asked = CustomEvent<{ ctx?: { sourceElement?: Element; target?: Element | string } }>;

export function watchFocus(): void {
  document.addEventListener("focusin", (event) => {
    last = event.target as HTMLElement;
    lookedLike = likeness(last);
    byKeys = last.matches(":focus-visible");
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const ctx = (event as Asked).detail?.ctx;
    if (!last || !byKeys || document.activeElement !== document.body) return;
    if (last.isConnected) {
      if (ctx?.sourceElement?.contains(last)) last.focus({ preventScroll: true }); // a button that waited for the answer
    } else {
      successor(ctx?.target)?.focus({ preventScroll: true });
    }
  });
}

/** The element that stands where the last one stood, or the part of the page that was put there. */
function successor(target: Element | string | undefined): HTMLElement | null {
  const alike = [...document.querySelectorAll<HTMLElement>(last!.localName)].find((each) => likeness(each) === lookedLike);
  if (alike) return alike;
  const id = typeof target === "string" ? target.replace(/^#/, "") : target?.id;
  const part = document.getElementById(id || "main");
  if (part && part.tabIndex < 0) part.tabIndex = -1;
  return part;
}

/** What two elements have in common that are the same to whoever reads the page. */
function likeness(element: HTMLElement): string {
  const form = element instanceof HTMLButtonElement || element instanceof HTMLInputElement ? element.form?.action : "";
  const words = element.matches("textarea, select, input") ? "" : element.textContent;
  return [element.localName, form, words?.trim(), ...TELLING.map((name) => element.getAttribute(name))].join("\n");
}
