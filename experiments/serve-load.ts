/**
 * A server under load: some clients ask without a pause, whole and streamed, and hold every answer against what the library makes
 * for the same seed one token at a time; one more cuts connections, reads slowly, and sends half requests, deep JSON and bodies of
 * 10 MB. The server is `sspec serve` in a process of its own, whose memory is read every ten seconds. The exit code is 1 when an
 * answer was wrong.
 *
 *     node --import ./test/register-typescript.mjs experiments/serve-load.ts [--minutes 10] [--clients 4] [--model demo]
 *       [--profile results/search-demo.profile.json] [--output results]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { exitCodeOf } from '../src/cli/main.js';
import { BUNDLED, loadDataset } from '../src/datasets/load.js';
import { loadModel } from '../src/engine/load-model.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { Random } from '../src/random.js';
import { createProgress } from '../src/reporting/progress.js';
import { parseFlags } from './lib/flags.js';
import { writeJson } from './lib/output.js';
import { writeResultsReadme } from './lib/readme.js';
import { answerTexts, HARM, harm, type KnownRequest, knownRequests } from './lib/serve-clients.js';

const PROMPTS_OF_KIND = 4;
/** What the server took at some second, in bytes. */
interface Memory {
  readonly seconds: number;
  readonly rss: number;
  readonly heap_used: number;
  readonly external: number;
}
const memorySchema = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number() });

async function load(argv: string[]): Promise<void> {
  const texts = { model: 'demo', profile: 'results/search-demo.profile.json', output: 'results' };
  const { minutes, clients, model, profile, output } = parseFlags(
    argv,
    { minutes: 10, clients: 4 },
    texts,
  );
  const known = await requestsOf(model);
  const server = fork(
    fileURLToPath(new URL('./lib/serve-process.ts', import.meta.url)),
    ['--model', model, '--profile', profile, '--threads', '1'],
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  const url = await addressOf(server);
  const progress = createProgress({
    ...{ label: 'Load', total: minutes * 60, unit: 'seconds', quiet: false },
  });
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const counts = { answers: 0, choices: 0 };
  const wrong: string[] = [];
  const harmed = Object.fromEntries(Object.keys(HARM).map((name) => [name, 0]));
  const ask = async (client: number) => {
    const random = new Random(1, client);
    while (seconds() < minutes * 60) {
      const request = known[random.integer(known.length)]!;
      const stream = random.integer(2) === 1;
      const made = await answerTexts(url, request, stream).catch((error) => [String(error)]);
      counts.answers++;
      counts.choices += request.texts.length;
      if (made.join('\0') !== request.texts.join('\0'))
        wrong.push(`${JSON.stringify({ ...request.body, stream })}: ${made.join(' | ')}`);
    }
  };
  const doHarm = async () => {
    const random = new Random(1, clients);
    while (seconds() < minutes * 60) {
      harmed[await harm(url, known[random.integer(known.length)]!, random)]!++;
      await sleep(200);
    }
  };
  const memory: Memory[] = [];
  const watch = async () => {
    for (let time = 0; time <= minutes * 60; time += 10) {
      await sleep(Math.max(0, (time - seconds()) * 1000));
      const { rss, heapUsed, external } = await memoryOf(server);
      memory.push({ seconds: time, rss, heap_used: heapUsed, external });
      progress.update(time);
    }
  };
  await Promise.all([...Array.from({ length: clients }, (_, i) => ask(i)), doHarm(), watch()]);
  progress.stop();
  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  // The first minute fills caches.
  const settled = memory.filter((one) => one.seconds >= 60);
  const result = {
    ...{ model, profile, clients, minutes, ...counts, wrong: wrong.length, harmed },
    harm: Object.values(harmed).reduce((a, b) => a + b, 0),
    server_exit_code: code,
    settled_rss_bytes: settled[0]?.rss ?? null,
    last_rss_bytes: memory.at(-1)?.rss ?? null,
    most_rss_bytes: Math.max(...memory.map(({ rss }) => rss)),
    memory,
    environment: describeEnvironment({ threads: 1, precision: 'int8' }),
  };
  writeJson(output, 'serve-load', result);
  await writeResultsReadme(output);
  for (const text of wrong.slice(0, 5)) process.stderr.write(`${text}\n`);
  const mib = memory.map(({ rss }) => Math.round(rss / 2 ** 20));
  console.log(`${counts.answers} answers, ${wrong.length} wrong; resident MiB: ${mib.join(' ')}`);
  if (wrong.length > 0) process.exitCode = 1;
}

/** Requests over bundled prompts of every kind, and what their answers have to be. */
async function requestsOf(reference: string): Promise<KnownRequest[]> {
  const model = await loadModel(reference, { threads: 1 });
  try {
    const prompts = BUNDLED.flatMap((name) =>
      loadDataset(name)
        .prompts.slice(0, PROMPTS_OF_KIND)
        .map(({ prompt }) => prompt),
    );
    return await knownRequests(model, prompts);
  } finally {
    await model.close();
  }
}

/** Waits for the line that tells where the server is. */
async function addressOf(server: ChildProcess): Promise<string> {
  let told = '';
  for await (const piece of server.stdout ?? []) {
    told += String(piece);
    const [, url] = / at (http:\S+)/.exec(told) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`the server ended: ${told}`);
}

async function memoryOf(server: ChildProcess) {
  server.send('memory');
  const [told] = await once(server, 'message');
  return memorySchema.parse(told);
}

process.exitCode = await exitCodeOf(process.argv.slice(2), () => load(process.argv.slice(2)));
