// Nothing typed is lost: a form with `data-draft` keeps its text on this device until the server has accepted it.
//
// A draft belongs to a person and a name, ends after a week, and goes when the person signs out. Passwords, files and
// hidden fields are never kept. Whether a form was accepted shows on the next page: it was reached by the redirect that
// follows a success, the person is still signed in, and it is not an error page and not the same form with its errors.
//
// Where the server keeps drafts as well (`.draft-note`), what it has kept goes from here: what is left here is what it does not have.
import { word } from "./words";

type Draft = { at: number; values: Record<string, string> };

const PREFIX = "draft:";
const SENT = "drafts-sent";
const WEEK_MS = 7 * 24 * 3600 * 1000;
const KEPT = "textarea[name], select[name], input[name]:not([type=hidden], [type=password], [type=file], [type=submit])";

export function watchDrafts(): void {
  if (!canStore()) return;
  settleSent();
  forgetOld();
  restoreIn(document);
  document.addEventListener("input", (event) => keepSoon((event.target as Element).closest<HTMLFormElement>("form[data-draft]")));
  document.addEventListener("submit", onSubmit);
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("[data-draft-discard]")) discard(event.target as Element);
  });
  document.addEventListener("htmx:after:swap", () => restoreIn(document));
  document.addEventListener("htmx:before:request", onAsk);
  document.addEventListener("htmx:after:request", onAnswer);
  window.addEventListener("pagehide", keepNow);
}

function canStore(): boolean {
  try {
    return Boolean(localStorage && sessionStorage);
  } catch {
    return false;
  }
}

/** What the keys of the person who is signed in begin with. */
function mine(): string {
  return `${PREFIX}${document.body.dataset["person"] ?? ""}:`;
}

function keyOf(form: HTMLFormElement): string {
  return mine() + form.dataset["draft"];
}

function fieldsOf(form: HTMLFormElement): HTMLInputElement[] {
  return [...form.querySelectorAll<HTMLInputElement>(KEPT)];
}

const waiting = new Map<HTMLFormElement, number>();

function keepSoon(form: HTMLFormElement | null): void {
  if (!form) return;
  clearTimeout(waiting.get(form));
  waiting.set(form, window.setTimeout(() => keep(form), 400));
}

function keepNow(): void {
  for (const form of waiting.keys()) keep(form);
}

function keep(form: HTMLFormElement): void {
  clearTimeout(waiting.get(form));
  waiting.delete(form);
  const values: Draft["values"] = {};
  for (const field of fieldsOf(form)) if (isChanged(field)) values[slotOf(field)] = isBox(field) ? String(field.checked) : field.value;
  if (Object.keys(values).length) localStorage.setItem(keyOf(form), JSON.stringify({ at: Date.now(), values } satisfies Draft));
  else localStorage.removeItem(keyOf(form));
}

function isBox(field: HTMLInputElement): boolean {
  return field.type === "checkbox" || field.type === "radio";
}

/** Boxes of one name differ by their value. */
function slotOf(field: HTMLInputElement): string {
  return isBox(field) ? `${field.name}=${field.value}` : field.name;
}

function isChanged(field: HTMLInputElement | HTMLSelectElement): boolean {
  if (field instanceof HTMLSelectElement) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return isBox(field) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

function restoreIn(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-draft]:not([data-bound], [data-restored])")) restore(form);
}

function restore(form: HTMLFormElement): void {
  form.dataset["restored"] = "";
  const draft = read(keyOf(form));
  if (!draft) return;
  let came = false;
  for (const field of fieldsOf(form)) {
    const value = draft.values[slotOf(field)];
    if (value === undefined || isChanged(field)) continue;
    if (isBox(field)) field.checked = value === "true";
    else field.value = value;
    came = true;
  }
  const note = came ? word("draft") : null;
  if (note) form.prepend(note);
}

function read(key: string): Draft | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

function discard(button: Element): void {
  const form = button.closest<HTMLFormElement>("form[data-draft]");
  if (!form) return;
  localStorage.removeItem(keyOf(form));
  form.reset();
  button.closest("[data-word=draft]")?.remove();
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  if (form.matches("[data-signs-out]")) forgetAll();
  if (!form.dataset["draft"]) return;
  keep(form);
  if (event.defaultPrevented) return; // htmx sends it, and `onAnswer` hears how it went
  sessionStorage.setItem(SENT, JSON.stringify([keyOf(form)]));
}

/** On the page after sending: forget what was accepted. */
function settleSent(): void {
  const sent = JSON.parse(sessionStorage.getItem(SENT) ?? "[]") as string[];
  sessionStorage.removeItem(SENT);
  const [visit] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const arrived = visit?.type === "navigate" && document.referrer.startsWith(location.origin);
  if (!sent.every((key) => key.startsWith(mine())) || !arrived || "error" in document.body.dataset) return;
  const refused = [...document.querySelectorAll<HTMLFormElement>("form[data-draft][data-bound]")].map(keyOf);
  for (const key of sent) if (!refused.includes(key)) localStorage.removeItem(key);
}

type Asked = { ctx: { sourceElement: Element; response?: { status: number }; text?: string } };

/** The form that an element keeps on the server, if it is one that does. */
function keptBy(element: Element): HTMLFormElement | null {
  return element.matches(".draft-note") ? element.closest<HTMLFormElement>("form[data-draft]") : null;
}

function onAsk(event: Event): void {
  const form = keptBy((event as CustomEvent<Asked>).detail.ctx.sourceElement);
  if (form) form.dataset["draftSent"] = String(Date.now());
}

/** htmx says at once whether the form was accepted, or its draft kept on the server. */
function onAnswer(event: Event): void {
  const { ctx } = (event as CustomEvent<Asked>).detail;
  const source = ctx.sourceElement;
  if (ctx.response === undefined || ctx.response.status >= 400) return;
  if (source instanceof HTMLFormElement && source.dataset["draft"]) localStorage.removeItem(keyOf(source));
  const form = ctx.text ? keptBy(source) : null; // it says nothing when it has kept nothing
  if (form && (read(keyOf(form))?.at ?? 0) <= Number(form.dataset["draftSent"])) localStorage.removeItem(keyOf(form));
}

function drafts(): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}

function forgetAll(): void {
  for (const timer of waiting.values()) clearTimeout(timer);
  waiting.clear();
  for (const key of drafts()) localStorage.removeItem(key);
}

function forgetOld(): void {
  for (const key of drafts()) if (Date.now() - (read(key)?.at ?? 0) > WEEK_MS) localStorage.removeItem(key);
}
