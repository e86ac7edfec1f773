"""The printable report: one HTML file with sentence, measures, pictures, tables and checks. No script, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from staffroom.knowing.pictures.changing import what_would_change
from staffroom.knowing.pictures.drawing import note_of, pictures_of
from staffroom.knowing.pictures.measures import Measure, five, tier_name
from staffroom.knowing.pictures.reading import answer_of
from staffroom.knowing.pictures.sheet import Picture
from staffroom.knowing.pictures.styles import COLORS, STYLES
from staffroom.knowing.pictures.words import Say, behind

type Reader = Callable[[Any], str]

MEASURES = {
    "impact": ("#126b47", "#6dd6a2"), "replicability": ("#235ca0", "#87bef7"), "scalability": ("#6b42a2", "#c5aaf7"),
    "efficiency": ("#80570e", "#ebc573"), "cost": ("#9c3454", "#f59baf"),
}  # fmt: skip
LOOK = (
    ":root{color-scheme:light dark;--ink:%(ink)s;--quiet:%(ink-quiet)s;--ground:%(surface)s;--line:%(line)s}"
    "body{font:16px/1.55 Inter,system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:50rem;margin:3rem auto;"
    "padding:0 1.25rem}h1{font-size:2rem;line-height:1.2;letter-spacing:-.02em;margin:0 0 .5rem}h2{font-size:1.35rem;"
    "margin:3rem 0 .75rem}h3{font-size:1.05rem;margin:2rem 0 .25rem}.lead{font-size:1.2rem}.quiet,figcaption p{color:var(--quiet)}"
    ".measures{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:1.5rem;margin:2rem 0}"
    ".measures b{display:block;font-size:1.6rem;line-height:1.2;letter-spacing:-.02em}.measures span{display:block}"
    ".measures small{color:var(--quiet);display:block}table{border-collapse:collapse;width:100%%;font-size:.85rem;margin:.5rem 0 1.5rem}"
    "th,td{text-align:end;padding:.35rem .5rem;border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}"
    "td+td{white-space:nowrap}"
    "th:first-child,td:first-child{text-align:start}figure{margin:0 0 1.5rem}svg{width:100%%;height:auto}.scroll{overflow-x:auto}"
    "li{margin:.4rem 0}"
)
NIGHT = ":root{--ink:%(ink)s;--quiet:%(ink-quiet)s;--ground:%(surface)s;--line:%(line)s}"
PAPER = (
    "@page{margin:18mm 16mm}@media print{body{margin:0;max-width:none;font-size:10.5pt}h2,h3{break-after:avoid}"
    "figure,tr{break-inside:avoid}thead{display:table-header-group}}"
)


def report(
    answer: object,
    *,
    title: str,
    subtitle: str = "",
    say: Say = str,
    sentences: Callable[[Mapping[str, Any]], str] | None = None,
    language: str = "en",
    others: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The whole file. `sentences` words a sentence of the answer ({message, values, text}); without it, it is English."""
    found = answer_of(answer)
    read = _reader(sentences)
    parts = [
        f"<h1>{escape(title)}</h1>", f'<p class="quiet">{escape(subtitle)}</p>' if subtitle else "", _head(found, say, read),
        _measures(found, say),
        _practice(found, say, read), _pictures(pictures_of(found, title=title, say=say, others=others).values(), say), _change(found, say),
        _gates(found, say, read), _listed(say("Why this comparison"), (read(one) for one in _many(found.get("decision")))),
        _listed(say("To bear in mind"), (read(one) for one in _many(found.get("warnings")))),
    ]  # fmt: skip
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{_style()}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _reader(sentences: Callable[[Mapping[str, Any]], str] | None) -> Reader:
    """Words for a sentence of an answer; one that is text already stays."""
    if sentences is None:
        return lambda kept: kept if isinstance(kept, str) else str(kept.get("text", kept.get("message", "")))
    return lambda kept: kept if isinstance(kept, str) else sentences(kept)


def _many(said: Any) -> Sequence[Any]:
    """Sentences, also where an answer holds them as one text."""
    return [said] if isinstance(said, str) else said or ()


def _style() -> str:
    day, night = ({name: both[place] for name, both in COLORS.items()} for place in (0, 1))
    inks = ["".join(f".m-{key}{{color:{both[place]}}}" for key, both in MEASURES.items()) for place in (0, 1)]
    return (
        f"{STYLES}{LOOK % day}{inks[0]}@media screen and (prefers-color-scheme:dark){{{NIGHT % night}{inks[1]}}}{PAPER}"
    )


def _head(found: Mapping[str, Any], say: Say, read: Reader) -> str:
    said = " ".join(read(one) for one in (*_many(found.get("sentence")), *_many(found.get("reasons"))))
    return f'<p class="lead">{escape(said)}</p><p class="quiet">{escape(note_of(found, say))}</p>'


def _measures(found: Mapping[str, Any], say: Say) -> str:
    heading = escape(say("The five measures"))
    return f'<h2>{heading}</h2><div class="measures">{"".join(_measure(one, say) for one in five(found, say))}</div>'


def _measure(one: Measure, say: Say) -> str:
    below = [one.range, one.behind, tier_name(one.tier, say) if one.is_known else ""]
    small = "".join(f"<small>{escape(line)}</small>" for line in below if line)
    return (
        f'<div><span>{escape(one.label)}</span><b class="m-{one.key}">{escape(one.value)}</b>'
        f"<small>{escape(one.unit)}</small>{small}</div>"
    )


def _practice(found: Mapping[str, Any], say: Say, read: Reader) -> str:
    """Whether practice changed where outcomes did; the schools stand among the pictures."""
    parts = []
    for each in found.get("mechanism") or ():
        first, *more = [read(one) for one in each["sentence"]]
        sure = f"{each['name']}: {behind(each.get('n') or {}, say)}; {tier_name(each['tier'], say)}"
        parts.append(f'<p class="lead">{escape(first)}</p>' + "".join(f"<p>{escape(one)}</p>" for one in more))
        parts += [f'<p class="quiet">{escape(one)}</p>' for one in (sure, *(read(one) for one in each["warnings"]))]
    return f"<h2>{escape(say('Did practice change?'))}</h2>{''.join(parts)}" if parts else ""


def _pictures(pictures: Iterable[Picture], say: Say) -> str:
    drawn = "".join(_figure(picture) for picture in pictures)
    return f"<h2>{escape(say('The pictures, with their tables'))}</h2>{drawn}" if drawn else ""


def _figure(picture: Picture) -> str:
    return (
        f"<figure><figcaption><h3>{escape(picture.title)}</h3><p>{escape(picture.text)}</p></figcaption>"
        f"{_numbered(picture)}</figure>{_table(picture.columns, picture.rows)}"
    )


def _numbered(picture: Picture) -> str:
    """The drawing; what names and styles it stands in the file once."""
    drawn = picture.svg.replace('aria-labelledby="title text"', 'aria-hidden="true"').replace('role="img" ', "")
    return drawn.replace(' id="title"', "").replace(' id="text"', "").replace(f"<style>{STYLES}</style>", "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _change(found: Mapping[str, Any], say: Say) -> str:
    return _listed(say("What would change the answer"), what_would_change(found, say))


def _gates(found: Mapping[str, Any], say: Say, read: Reader) -> str:
    rows = [
        [read(gate["sentence"]), say("passed") if gate.get("passed") else say("not passed")]
        for gate in found.get("gates") or ()
    ]
    heading = escape(say("How sure this is"))
    return f"<h2>{heading}</h2>{_table([say('Check'), say('How it came out')], rows)}" if rows else ""


def _listed(heading: str, said: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(one)}</li>" for one in said)
    return f"<h2>{escape(heading)}</h2><ul>{items}</ul>" if items else ""
