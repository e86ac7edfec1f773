"""Home: pages that span rooms: the front page ("what now?"), and my record: everything stored about me."""
