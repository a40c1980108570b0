"""A model that only pretends. It writes a line into the file CALLS for each call, because each costs money."""

import os


def ask(prompt):
    """The answer, the name of the model, and the tokens of prompt and answer."""
    with open(os.environ["CALLS"], "a") as calls:
        calls.write("draft\n")
    return f"{prompt} Done.", "stub", 20, 5
