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

type Counted = { forms: string[]; which: string };
type Sentence = string | Counted;
/** What a sentence takes: nothing, or a value for each of its places. */
type Values<Places extends readonly string[]> = Places extends readonly [] ? [] : [Record<Places[number], string | number>];

/** The sentences of an island, in the page's language, from the JSON that `{% island %}` puts beside its script. A sentence that
 *  depends on a number has several forms; `count` chooses among them. */
export function wordsOf<const Words extends Record<string, readonly string[]>>(island: string, _words: Words) {
  let brought: Record<string, Sentence> | undefined;
  return <Name extends keyof Words & string>(name: Name, ...[given]: Values<Words[Name]>): string => {
    brought ??= read(document.getElementById(`${island}-words`));
    const values: Record<string, string | number> = given ?? {};
    const sentence = brought[name] ?? name;
    const chosen = typeof sentence === "string" ? sentence : formFor(sentence, Number(values["count"]));
    return chosen.replace(/\{(\w+)\}/g, (_whole, place: string) => shown(values[place] ?? ""));
  };
}

/** As gettext would choose: `which` says it for 0 to 199, or until it stays the same; the last two digits decide from there. */
function formFor({ forms, which }: Counted, count: number): string {
  const form = which[count < 200 ? count : 100 + (count % 100)] ?? which.at(-1);
  return forms[Number(form)] ?? "";
}

function shown(value: string | number): string {
  return typeof value === "number" ? new Intl.NumberFormat(document.documentElement.lang || "en").format(value) : value;
}

function read(element: HTMLElement | null): Record<string, Sentence> {
  try {
    return JSON.parse(element?.textContent ?? "{}") as Record<string, Sentence>;
  } catch {
    return {};
  }
}
