"""Draw a lottery of Staffroom again, from what was published. Needs Python 3.9 or newer and nothing else.

    python3 redraw.py TICKETS.csv --secret SECRET --number "THE NUMBER" --seats 12 8

TICKETS.csv is the file of tickets from the lottery's page; secret, number and the seats of each wave stand there too. It prints the
SHA-256 of the list and of the secret, which were published when the lottery was announced, and the seed; then it draws, and says
whether the wave and the order of every ticket are those of the file. `--ticket ABCDEFGH` prints what fell to one ticket.
"""

import argparse
import csv
import sys
from fractions import Fraction
from hashlib import sha256


def hashed(*lines: str) -> str:
    """The SHA-256 of some lines, joined by line breaks."""
    return sha256("\n".join(lines).encode()).hexdigest()


def drawn(blocks: "dict[str, str]", seats: "list[int]", seed: str) -> "dict[str, tuple[int, int]]":
    """By ticket: its place in the order of all lots, and its wave, 0 for none. `blocks`: the block of each ticket."""
    order = sorted(blocks, key=lambda ticket: hashed(seed, ticket))
    wave = dict.fromkeys(order, 0)
    for number, count in enumerate(seats, 1):
        left = [ticket for ticket in order if not wave[ticket]]
        start = Fraction(int(hashed(seed, f"wave {number}")[:16], 16), 16**16)
        upto = given = 0
        for block in sorted({blocks[ticket] for ticket in left}):
            inside = [ticket for ticket in left if blocks[ticket] == block]
            upto += len(inside)
            so_far = int(Fraction(upto * min(count, len(left)), len(left)) + start)
            for ticket in inside[: so_far - given]:
                wave[ticket] = number
            given = so_far
    return {ticket: (place, wave[ticket]) for place, ticket in enumerate(order, 1)}


def main() -> int:
    """Draw, print, compare. Returns 0 if every ticket has what the file says, 1 if not."""
    about = __doc__ or ""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tickets", help="the file of tickets: ticket, block, order, wave")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--number", required=True)
    parser.add_argument("--seats", required=True, type=int, nargs="+", help="of the first wave, the second, ...")
    parser.add_argument("--ticket", help="print what fell to this one")
    said = parser.parse_args()
    with open(said.tickets, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    blocks = {row["ticket"]: row["block"] for row in rows}
    listed = sha256("".join(f"{ticket},{blocks[ticket]}\n" for ticket in sorted(blocks)).encode()).hexdigest()
    seed = hashed(listed, said.secret, said.number)
    found = drawn(blocks, said.seats, seed)
    lines = [
        f"SHA-256 of the list    {listed}\nSHA-256 of the secret  {hashed(said.secret)}\nseed                   {seed}"
    ]
    if said.ticket in found:
        lines.append(f"{said.ticket}: place {found[said.ticket][0]}, wave {found[said.ticket][1] or 'none yet'}")
    wrong = [row["ticket"] for row in rows if found[row["ticket"]] != (int(row["order"] or 0), int(row["wave"] or 0))]
    lines.append(
        f"{len(rows)} tickets; " + (f"different from the file: {', '.join(wrong)}" if wrong else "all as in the file")
    )
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
