// Text and small pieces that the shared script shows. The page brings them, in its own language (ui/words.html).

export function word(name: string): HTMLElement | null {
  const words = document.querySelector<HTMLTemplateElement>("#words");
  const found = words?.content.querySelector<HTMLElement>(`[data-word="${name}"]`);
  return found ? (document.importNode(found, true) as HTMLElement) : null;
}

/** Show a message over the page until it is closed; the same one is not shown twice. */
export function toast(name: string): void {
  const place = document.querySelector("#toasts");
  const message = word(name);
  if (!place || !message || place.querySelector(`[data-word="${name}"]`)) return;
  const back = message.querySelector<HTMLAnchorElement>("a[data-back]");
  if (back) back.search = new URLSearchParams({ next: location.pathname + location.search }).toString();
  const close = word("close");
  close?.addEventListener("click", () => message.remove());
  if (close) message.append(close);
  place.append(message);
}
