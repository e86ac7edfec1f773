// Dialogs: opened by `data-opens`, closed by `data-closes`; and the question before a dangerous form is sent.
import { word } from "./words";

const agreed = new WeakSet<Element>();

export function watchDialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-opens]");
    if (opener) open(opener, event);
    else if (target.closest("[data-closes]")) target.closest("dialog")?.close();
    else if (target.matches("dialog[open]")) closeBeside(target as HTMLDialogElement, event);
  });
  document.addEventListener("submit", askBefore, { capture: true });
}

function open(opener: HTMLElement, event: Event): void {
  const dialog = document.getElementById(opener.dataset["opens"] ?? "");
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  if (!dialog.open) dialog.showModal();
}

/** A click beside the dialog closes it, unless something was typed there. */
function closeBeside(dialog: HTMLDialogElement, event: MouseEvent): void {
  const box = dialog.getBoundingClientRect();
  const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  const typed = [...dialog.querySelectorAll<HTMLInputElement>("input, textarea")].some((field) => field.value !== field.defaultValue);
  if (!isInside && !typed) dialog.close();
}

/** Runs before htmx sees the submit, so that it holds for both kinds of sending. */
function askBefore(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const submitter = event.submitter;
  const text = submitter?.dataset["confirm"] ?? form.dataset["confirm"];
  if (!text || agreed.delete(form)) return;
  const dialog = word("confirm") as HTMLDialogElement | null;
  if (!dialog) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  dialog.querySelector("[data-confirm-text]")!.textContent = text;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue !== "yes") return;
    agreed.add(form);
    form.requestSubmit(submitter);
  });
  document.body.append(dialog);
  dialog.showModal();
}
