// Small pieces of page: elements, icons, buttons.
import captions from "lucide-static/icons/captions.svg?raw";
import keyboard from "lucide-static/icons/keyboard.svg?raw";
import maximize from "lucide-static/icons/maximize.svg?raw";
import minimize from "lucide-static/icons/minimize.svg?raw";
import pause from "lucide-static/icons/pause.svg?raw";
import play from "lucide-static/icons/play.svg?raw";
import back from "lucide-static/icons/rotate-ccw.svg?raw";
import forward from "lucide-static/icons/rotate-cw.svg?raw";
import frameBack from "lucide-static/icons/step-back.svg?raw";
import frameForward from "lucide-static/icons/step-forward.svg?raw";
import sound from "lucide-static/icons/volume-2.svg?raw";
import muted from "lucide-static/icons/volume-x.svg?raw";

const ICONS = { captions, keyboard, maximize, minimize, pause, play, back, forward, frameBack, frameForward, sound, muted };
export type IconName = keyof typeof ICONS;

type Attributes = Record<string, string | boolean>;

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, attributes: Attributes = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "boolean") element.toggleAttribute(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function icon(name: IconName): SVGElement {
  const holder = document.createElement("template");
  holder.innerHTML = ICONS[name];
  const drawing = holder.content.querySelector("svg")!;
  drawing.setAttribute("aria-hidden", "true");
  return drawing;
}

export function button(name: IconName, label: string, onClick: () => void, kind = ""): HTMLButtonElement {
  const made = make("button", { type: "button", class: `player-button ${kind}` }, icon(name));
  relabel(made, label);
  made.addEventListener("click", onClick);
  return made;
}

export function relabel(target: HTMLElement, label: string, name?: IconName): void {
  target.setAttribute("aria-label", label);
  target.title = label;
  if (name) target.replaceChildren(icon(name));
}

/** Remember a choice on this device; a browser that refuses to remember changes nothing. */
export function remember(key: string, value?: string): string | null {
  try {
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
