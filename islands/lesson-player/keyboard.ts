// Keys: only while the focus is in the player, on a button of the form for notes, or nowhere, never where one types; and a dialog that lists them and turns them off.
import { make, remember } from "./dom";
import { say } from "./words";

const OFF_KEY = "lesson-player:keys";
const TYPES = "input, textarea, select, [contenteditable]:not([contenteditable=false]), dialog[open]";
const PRESSES = "button, a[href], summary, [role=button]";

export type Keys = Record<string, () => void>;

/** Letters work by what is written on the key, digits by their place. */
export function watchKeys(player: HTMLElement, keys: Keys, percent: (tens: number) => void, signal: AbortSignal): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target as Element;
    const isOurs = target === document.body || player.contains(target) || target.closest(".moment-form") !== null; // a note is added: go on
    if (!isOurs || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target.closest(TYPES)) return;
    if (areOff() && !player.contains(target)) return;
    if (event.key === " " && target.closest(PRESSES)) return; // it presses the button
    const deed = /^[0-9]$/.test(event.key) ? () => percent(Number(event.key)) : keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  }, { signal });
}

function areOff(): boolean {
  return remember(OFF_KEY) === "off";
}

export function keysDialog(): HTMLDialogElement {
  const rows: [string, string][] = [
    ["k, Space", say("keyPlay")], ["←, →", say("keySeconds")], ["j, l", say("keyTen")], [", .", say("keyFrame")], ["<, >", say("keySpeed")],
    ["Home, End", say("keyEnds")], ["0 – 9", say("keyPercent")], ["m", say("keyMute")], ["c", say("keyCaptions")], ["f", say("keyFull")], ["n", say("keyNote")],
  ];
  const list = make("dl", { class: "player-keys" });
  for (const [keys, deed] of rows) list.append(make("dt", {}, make("kbd", {}, keys)), make("dd", {}, deed));
  const use = make("input", { type: "checkbox", checked: !areOff() });
  use.addEventListener("change", () => remember(OFF_KEY, use.checked ? "on" : "off"));
  const close = make("button", { type: "button", class: "button button-main" }, say("close"));
  const title = make("h2", { id: "player-keys-title" }, say("keysTitle"));
  const dialog = make("dialog", { class: "player-dialog", "aria-labelledby": title.id }, title, list,
    make("label", { class: "player-use" }, use, ` ${say("keysUse")}`), close);
  close.addEventListener("click", () => dialog.close());
  return dialog;
}
