"""How a peer written in Python answers: `answer.mjs` for Python, with the same lines."""
import json
import os
import sys
import time


def answer(load):
    """Loads a peer, says that it is ready, and answers until stdin ends. `load` gives its version and what generates."""
    # What libraries print to stdout would be taken for answers.
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(line):
        lines.write(json.dumps(line) + "\n")

    try:
        version, generate = load()
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}".split("\n", 1)[0]})
        sys.exit(1)
    say({"ready": True, "version": version})
    for line in sys.stdin:
        try:
            say(timed(generate, json.loads(line)))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}".split("\n", 1)[0]})


def timed(generate, request):
    """Runs one generation: its tokens, and the seconds from its start at which each lot of them came out."""
    tokens, arrivals = [], []
    start = time.perf_counter()

    def arrived(lot):
        tokens.extend(lot)
        arrivals.append({"tokens": len(lot), "seconds": time.perf_counter() - start})

    generate(request, arrived)
    return {"tokens": tokens, "arrivals": arrivals}
