/** Measures peers side by side: the fastest setting of every method on prompts of their own, then all methods on each prompt in turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../src/files.js';
import type { Peer, PeerMethod, PeerSetting } from './peers-list.js';
import type { PeerProcess } from './peers-process.js';
import { type PeerSample, peerSample, tokensPerSecond } from './peers-summary.js';

/** New tokens of a trial: enough to tell settings apart. */
const TRIAL_TOKENS = 32;
/** Threads of the engine that ran before go to sleep within it. */
const PAUSE_MILLISECONDS = 150;

export interface PeerPrompt {
  readonly id: string;
  readonly dataset: string;
  readonly tokens: readonly number[];
}

/** A peer whose process runs. */
export interface RunningPeer {
  readonly peer: Peer;
  readonly process: Pick<PeerProcess, 'generate'>;
}

export interface PeerRun {
  readonly prompts: readonly PeerPrompt[];
  /** Others than those: a method that looks texts up would find what it wrote itself. */
  readonly trials: readonly PeerPrompt[];
  readonly maxNewTokens: number;
  readonly eos: readonly number[];
  readonly signal?: AbortSignal;
  /** Called after every generation. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PeersMeasured {
  readonly samples: readonly PeerSample[];
  /** The setting that each method was measured with, where it had several. */
  readonly settings: ReadonlyMap<PeerMethod, PeerSetting>;
  /** Sentences: which methods are left out, and why. */
  readonly left: readonly string[];
}

/** @throws the signal's reason when it is aborted. */
export async function measurePeers(
  running: readonly RunningPeer[],
  { prompts, trials, maxNewTokens, eos, signal, onProgress }: PeerRun,
): Promise<PeersMeasured> {
  const all = running.flatMap(({ peer, process }) =>
    peer.methods.map((method) => ({ peer, process, method })),
  );
  const planned = all.map(({ method }) => trialsOf(method, trials).length * method.settings.length);
  const total = planned.reduce((sum, count) => sum + count, all.length * prompts.length);
  let done = 0;
  const left: string[] = [];
  const generate = async (
    of: (typeof all)[number],
    setting: PeerSetting,
    prompt: PeerPrompt,
    most: number,
  ) => {
    signal?.throwIfAborted();
    await sleep(PAUSE_MILLISECONDS);
    const { tokens, arrivals } = await of.process.generate({
      ...{ prompt: prompt.tokens, max_new_tokens: most, eos, options: setting.options },
    });
    onProgress?.(++done, total);
    const { peer, method } = of;
    return peerSample(peer.name, method.name, prompt, { tokens, arrivals, eos });
  };

  const settings = new Map<PeerMethod, PeerSetting>();
  for (const of of all) {
    let best = 0;
    for (const setting of of.method.settings) {
      try {
        const samples: PeerSample[] = [];
        for (const prompt of trialsOf(of.method, trials))
          samples.push(await generate(of, setting, prompt, Math.min(TRIAL_TOKENS, maxNewTokens)));
        const speed = tokensPerSecond(samples.slice(-trials.length));
        if (speed > best) settings.set(of.method, setting);
        best = Math.max(best, speed);
      } catch (error) {
        signal?.throwIfAborted();
        left.push(leftOut(of, setting, error));
      }
    }
  }

  const failed = new Set<PeerMethod>();
  const samples: PeerSample[] = [];
  const ready = all.filter(({ method }) => settings.has(method));
  for (const [p, prompt] of prompts.entries()) {
    for (let order = 0; order < ready.length; order++) {
      const of = ready[(order + p) % ready.length]!;
      if (failed.has(of.method)) continue;
      try {
        samples.push(await generate(of, settings.get(of.method)!, prompt, maxNewTokens));
      } catch (error) {
        signal?.throwIfAborted();
        failed.add(of.method);
        left.push(leftOut(of, settings.get(of.method)!, error));
      }
    }
  }
  const names = new Set(
    ready.filter(({ method }) => failed.has(method)).map(({ peer, method }) => key(peer, method)),
  );
  return {
    samples: samples.filter(({ peer, method }) => !names.has(`${peer}/${method}`)),
    settings,
    left,
  };
}

/** The first generation of a setting is slower than those after it; where there is no choice, it is the only one. */
function trialsOf({ settings }: PeerMethod, trials: readonly PeerPrompt[]): PeerPrompt[] {
  return settings.length > 1 ? [trials[0]!, ...trials] : [trials[0]!];
}

const key = (peer: Peer, method: PeerMethod) => `${peer.name}/${method.name}`;

function leftOut(
  { peer, method }: { readonly peer: Peer; readonly method: PeerMethod },
  { label }: PeerSetting,
  error: unknown,
): string {
  const setting = label && ` with ${label}`;
  return `${peer.name}, ${method.name}${setting} is left out: ${errorMessage(error)}`;
}
