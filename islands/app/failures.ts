// When a part of a page cannot be had: say so beside what is there, instead of putting an error page in its place.
import { toast } from "./words";

export function watchFailures(): void {
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = (event as CustomEvent<{ ctx: { sourceElement: Element; response: { status: number } } }>).detail;
    if (ctx.response.status === 422 || isQuiet(ctx.sourceElement)) return;
    toast(nameOf(ctx.response.status));
  });
  document.addEventListener("htmx:error", (event) => {
    const { ctx } = (event as CustomEvent<{ ctx?: { sourceElement: Element } }>).detail;
    if (ctx && !isQuiet(ctx.sourceElement)) toast("offline");
  });
}

/** What loads by itself fails quietly: a slot keeps its link, a progress bar asks again. */
function isQuiet(element: Element): boolean {
  return /load|every/.test(element.getAttribute("hx-trigger") ?? "");
}

function nameOf(status: number): string {
  if (status === 401) return "signedOut";
  if (status === 403) return "stale"; // the page's token is of an earlier session; what one may not see is 404
  if (status === 404) return "gone";
  return status === 429 ? "often" : "failed";
}
