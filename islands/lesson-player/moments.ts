// The moments of the page, as data; and which of them is now.

export type Moment = {
  key: string;
  start_ms: number;
  end_ms: number | null;
  kind: string;
  author: string;
  text: string;
  element?: string;
};

/** How long a moment without an end counts as now. */
const POINT_MS = 6000;

/** After a swap by htmx the fresh list is in #moments-now; before, in #moments. */
export function readMoments(): Moment[] {
  const source = document.getElementById("moments-now") ?? document.getElementById("moments");
  try {
    const found = JSON.parse(source?.textContent ?? "[]") as Moment[];
    return [...found].sort((a, b) => a.start_ms - b.start_ms);
  } catch {
    return [];
  }
}

export function isNow(moment: Moment, lessonS: number): boolean {
  const ms = lessonS * 1000 + 40; // a seek may land a frame before
  return ms >= moment.start_ms && ms < (moment.end_ms ?? moment.start_ms + POINT_MS);
}

/** Mark the rows of the page's list that are now. */
export function markRows(moments: Moment[], lessonS: number): void {
  for (const moment of moments) {
    const row = document.getElementById(`moment-${moment.key}`);
    if (!row) continue;
    const now = isNow(moment, lessonS);
    if (now === row.hasAttribute("data-current")) continue;
    row.toggleAttribute("data-current", now);
    if (now) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

/** Call when the moments of the page may be others: after a swap, when the holder changes, or when somebody says so. */
export function watchMoments(onChange: () => void, signal: AbortSignal): void {
  for (const name of ["moments:changed", "htmx:after:swap", "htmx:afterSwap"]) document.addEventListener(name, onChange, { signal });
  const holder = document.getElementById("moments-holder") ?? document.getElementById("notes");
  const scripts = [holder?.parentElement, document.getElementById("moments")].filter((each) => each !== null && each !== undefined);
  const observer = new MutationObserver((changes) => changes.some(isAboutMoments) && onChange());
  for (const each of scripts) observer.observe(each, { childList: true, subtree: true, characterData: true });
  signal.addEventListener("abort", () => observer.disconnect());
}

function isAboutMoments(change: MutationRecord): boolean {
  const added = [...change.addedNodes].filter((node) => node instanceof Element);
  return added.some((node) => node.matches("#notes, #moments-holder, #moments, #moments-now, [id^=moment-]") || node.querySelector("#moments-now"))
    || (change.target.parentElement ?? change.target as Element).id?.startsWith("moments") === true;
}
