/**
 * sspec beside other engines on the same prompts: node-llama-cpp, transformers.js, Hugging Face transformers, and the code that the
 * authors of "Draft & Verify" published. Each runs in a process of its own; all take turns on each prompt. What is not installed
 * (experiments/peers/prepare.ts) is left out with a sentence. Timings count on a quiet machine only.
 *
 *     node --import ./test/register-typescript.mjs experiments/peers.ts --model FOLDER --prepared FOLDER --dataset spec_bench.jsonl
 *       [--profile results/search-smollm2.profile.json] [--limit 8] [--trials 2] [--max-new-tokens 128] [--threads 2]
 *       [--output results]
 *
 * --limit is prompts of each part of the dataset, --trials others in all, on which each method's settings are tried. Writes peers.json, peers.csv, peers.md, peers.svg and peers.png.
 */
import { basename } from 'node:path';
import { interruptible } from '../src/cli/interrupt.js';
import { exitCodeOf } from '../src/cli/main.js';
import { loadDataset } from '../src/datasets/load.js';
import { readFittingProfile } from '../src/decoding/profile-method.js';
import { loadModel } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import { tokenizePrompts } from '../src/evaluation/prompts.js';
import { errorMessage } from '../src/files.js';
import { busyWarning } from '../src/measurement/busy.js';
import { describeEnvironment } from '../src/measurement/environment.js';
import { toCsv } from '../src/reporting/csv.js';
import { fittedTable } from '../src/reporting/fitted-table.js';
import { createProgress, type Progress } from '../src/reporting/progress.js';
import { evenly } from './lib/evenly.js';
import { parseFlags } from './lib/flags.js';
import { writeFigure, writeJson, writeText } from './lib/output.js';
import { peersFigure } from './lib/peers-figure.js';
import { allPeers, type Peer } from './lib/peers-list.js';
import { PeerProcess } from './lib/peers-process.js';
import { PEER_COLUMNS, type PeersDocument, peersMarkdown, peerTable } from './lib/peers-report.js';
import {
  measurePeers,
  type PeerPrompt,
  type PeerRun,
  type PeersMeasured,
  type RunningPeer,
} from './lib/peers-run.js';
import { type PeerRow, summarisePeers } from './lib/peers-summary.js';

const NUMBERS = { limit: 8, trials: 2, maxNewTokens: 128, threads: 2 };
const TEXTS = {
  ...{ model: '', prepared: '', dataset: '', output: 'results' },
  profile: 'results/search-smollm2.profile.json',
};
type Flags = typeof NUMBERS & typeof TEXTS;

async function compare(argv: string[], signal: AbortSignal): Promise<void> {
  const flags = parseFlags(argv, NUMBERS, TEXTS);
  for (const name of ['model', 'prepared', 'dataset'] as const)
    if (flags[name] === '') throw new InputError(`--${name} is missing: give its file or folder.`);
  for (const name of ['limit', 'trials', 'threads'] as const)
    if (flags[name] === 0) throw new InputError(`--${name} is 0: give 1 or more.`);
  if (flags.maxNewTokens < 2) throw new InputError('--max-new-tokens must be 2 or more.');
  const { threads, maxNewTokens, output } = flags;
  const busy = await busyWarning();
  if (busy !== undefined) process.stderr.write(`${busy}\n`);
  const { mask, environment, ...of } = await readSources(flags);
  const { running, left } = await startPeers(allPeers({ ...flags, mask }), threads, signal);
  try {
    const measured = await measureWithProgress(running, { ...of, maxNewTokens, signal });
    const rows = summarisePeers(measured.samples, toldOf(running, measured));
    const peers = running.map(({ peer: { name, timer }, process: { version } }) => ({
      ...{ name, version, timer },
    }));
    const left_out = [...left, ...measured.left];
    const document: PeersDocument = {
      command: commandOf(flags),
      ...{ model: basename(flags.model), dataset: basename(flags.dataset) },
      ...{ max_new_tokens: maxNewTokens, threads, peers, rows, left_out, environment },
    };
    writeText(output, 'peers.csv', toCsv(rows.map(csvRow)));
    writeText(output, 'peers.md', peersMarkdown(document));
    writeJson(output, 'peers', document);
    await writeFigure(output, peersFigure('peers', rows));
    for (const sentence of measured.left) process.stderr.write(`${sentence}\n`);
    console.log(fittedTable(PEER_COLUMNS, peerTable(rows)));
  } finally {
    for (const { process } of running) process.stop();
  }
}

/** Prompts as all peers get them, and the mask of the profile: read with sspec's own model, which is closed again. */
async function readSources({ model: reference, dataset, profile, threads, ...counts }: Flags) {
  const model = await loadModel(reference, { threads });
  try {
    const { engine } = model;
    const { precision, weightsHash: modelHash } = engine.model;
    const { skip_attention: attention, skip_mlp: mlp } = readFittingProfile(
      profile,
      engine,
    ).profile;
    const asked = [loadDataset(dataset)];
    const { prompts } = tokenizePrompts(model, asked, 1 + counts.limit);
    const parts = new Map<string, PeerPrompt[]>();
    for (const prompt of prompts)
      parts.set(prompt.dataset, [...(parts.get(prompt.dataset) ?? []), prompt]);
    return {
      trials: evenly(
        [...parts.values()].map(([first]) => first!),
        counts.trials,
      ),
      prompts: [...parts.values()].flatMap((part) => part.slice(1)),
      eos: engine.config.eosTokenIds,
      mask: { attention, mlp },
      environment: describeEnvironment({ threads, precision, modelHash }),
    };
  } finally {
    await model.close();
  }
}

/** Starts all that can run here. */
async function startPeers(peers: readonly Peer[], threads: number, signal: AbortSignal) {
  const running: { readonly peer: Peer; readonly process: PeerProcess }[] = [];
  const left: string[] = [];
  for (const peer of peers) {
    signal.throwIfAborted();
    try {
      running.push({ peer, process: await PeerProcess.start(peer.command, threads) });
    } catch (error) {
      left.push(`${peer.name} is left out: ${errorMessage(error)}`);
      process.stderr.write(`${left.at(-1)}\n`);
    }
  }
  return { running, left };
}

async function measureWithProgress(running: readonly RunningPeer[], run: PeerRun) {
  let progress: Progress | undefined;
  try {
    return await measurePeers(running, {
      ...run,
      onProgress(done, total) {
        const label = 'Comparing engines';
        progress ??= createProgress({ label, total, unit: 'generations', quiet: false });
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
}

/** What a row tells of a method besides what was measured. */
function toldOf(running: readonly RunningPeer[], { settings }: PeersMeasured) {
  const told = new Map(
    running.flatMap(({ peer: { name, weights, methods } }) =>
      methods.map((method) => {
        const setting = settings.get(method)?.label || null;
        return [JSON.stringify([name, method.name]), { weights, setting }];
      }),
    ),
  );
  return (peer: string, method: string) => told.get(JSON.stringify([peer, method]))!;
}

/** Intervals as two columns, divergences as their number. */
function csvRow({ divergences, ...row }: PeerRow) {
  return Object.fromEntries(
    Object.entries({ ...row, divergences: divergences.length }).flatMap(([key, value]) =>
      key.endsWith('_ci95')
        ? ['low', 'high'].map((end, i) => [`${key}_${end}`, Array.isArray(value) ? value[i] : null])
        : [[key, value]],
    ),
  );
}

/** The command with the names of folders and files alone: where they lie is of one machine. */
function commandOf({ limit, trials, maxNewTokens, threads, ...texts }: Flags): string {
  const given = { ...{ limit, trials, 'max-new-tokens': maxNewTokens, threads } };
  const numbers = Object.entries(given).map(([name, value]) => `--${name} ${value}`);
  const places = `--model ${basename(texts.model)} --prepared PREPARED --dataset ${basename(texts.dataset)}`;
  return `node --import ./test/register-typescript.mjs experiments/peers.ts ${places} ${numbers.join(' ')}`;
}

const argv = process.argv.slice(2);
process.exitCode = await exitCodeOf(argv, () => interruptible((signal) => compare(argv, signal)));
