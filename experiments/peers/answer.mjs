/**
 * How a peer written in JavaScript answers: a line of JSON on stdin asks for one generation, a line on stdout has what came of it.
 * `answer.py` is the same for those in Python.
 */
import { createInterface } from 'node:readline';

/**
 * Loads a peer, says that it is ready, and answers until stdin ends.
 * @param load gives the peer's version and what generates: `(request, arrived) => void`, which calls `arrived(tokens)` whenever new
 *   tokens have come out.
 */
export async function answer(load) {
  const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
  let peer;
  try {
    peer = await load();
  } catch (error) {
    say({ error: String(error.message).split('\n', 1)[0] });
    process.exit(1);
  }
  say({ ready: true, version: peer.version });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await timed(peer.generate, JSON.parse(line)));
    } catch (error) {
      say({ error: String(error.message).split('\n', 1)[0] });
    }
  }
  process.exit(0);
}

/** Runs one generation: its tokens, and the seconds from its start at which each lot of them came out. */
async function timed(generate, request) {
  const tokens = [];
  const arrivals = [];
  const start = performance.now();
  await generate(request, (lot) => {
    tokens.push(...lot);
    arrivals.push({ tokens: lot.length, seconds: (performance.now() - start) / 1000 });
  });
  return { tokens, arrivals };
}
