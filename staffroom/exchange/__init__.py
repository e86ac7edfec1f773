"""Exchange: the doors through which other systems send to Staffroom's ledgers and read from them, by open standards.

The first door is xAPI (1.0.3, and 2.0 as IEEE 9274.1.1) at `/xapi/`: a complete learning record store. A workshop system, a vendor's
course or an LMS writes what teachers did; it lands in the same activity ledger as Staffroom's own deeds, so that the same questions
are asked of it. A **tool** is such a program, an **API key** what it shows at the door (both live in `permissions`). An **agent** is
somebody as a tool knows them; matched to a person by account or e-mail, at once or later. A **document** is what tools keep here
about a state or a profile: opaque to us.

What it leaves to others: the ledger and what is a valid statement (`records`), people (`people`), who administers (`permissions`).
"""
