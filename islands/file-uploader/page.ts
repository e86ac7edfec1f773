// What an island asks of the page that it stands on: the token for requests, the person, and words in the page's language.

/** For the header X-CSRFToken: from a form of the page, or from what htmx sends. */
export function csrfToken(): string {
  const field = document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]");
  if (field?.value) return field.value;
  const headers = document.body.getAttribute("hx-headers:inherited") ?? document.body.getAttribute("hx-headers") ?? "{}";
  try {
    return String((JSON.parse(headers) as Record<string, unknown>)["X-CSRFToken"] ?? "");
  } catch {
    return "";
  }
}

/** Who is signed in: what is kept on a device that several people share belongs to one of them. */
export function person(): string {
  return document.body.dataset["person"] ?? "";
}

/** POST as a form does, with the token. */
export function post(url: string, values: Record<string, string>, options: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    body: new URLSearchParams(values),
    headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
    credentials: "same-origin",
    ...options,
  });
}

export type Say<Name extends string> = (name: Name, values?: Record<string, string | number>) => string;

/** The sentences of an island: English, unless the page brings others as JSON in `<script id="<island>-words">`. */
export function wordsOf<Name extends string>(island: string, english: Record<Name, string>): Say<Name> {
  const brought = read(document.getElementById(`${island}-words`));
  return (name, values = {}) => {
    const sentence = brought[name] ?? english[name];
    return sentence.replace(/\{(\w+)\}/g, (_whole, key: string) => String(values[key] ?? ""));
  };
}

function read(element: HTMLElement | null): Record<string, string> {
  try {
    return JSON.parse(element?.textContent ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}
