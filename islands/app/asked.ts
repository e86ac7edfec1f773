// Parts that come when they are asked for: `<details data-asks>` holds a link, and when it is first opened, what the link leads to
// takes the link's place. One listener for all, since a page has dozens of them.
import htmx from "htmx.org";

export function watchAsked(): void {
  document.addEventListener(
    "toggle",
    (event) => {
      const details = event.target as HTMLElement;
      const link = details.matches("details[data-asks][open]") ? details.querySelector<HTMLAnchorElement>(":scope > a") : null;
      if (link) void htmx.ajax("GET", link.href, { source: details, target: link, swap: "outerHTML" });
    },
    true, // this event does not bubble
  );
}
