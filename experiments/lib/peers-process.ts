/** A peer in a process of its own: a line of JSON asks, a line answers (experiments/peers/answer.mjs). */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { errorMessage } from '../../src/files.js';

/** Loading torch and a model from a cold disk, or 128 tokens of the slowest peer, fit several times over. */
const PATIENCE_SECONDS = 300;
/** Of what a process that ended had on stderr. */
const LAST_CHARACTERS = 2000;

const failed = z.object({ error: z.string().max(10_000) });
const ready = z.object({ ready: z.literal(true), version: z.string().max(1000) });
const generated = z
  .object({
    tokens: z.array(z.int().min(0)).min(1).max(100_000),
    /** How many tokens came at once, and when, in seconds from the start. */
    arrivals: z
      .array(z.object({ tokens: z.int().min(0), seconds: z.number().min(0) }))
      .min(1)
      .max(100_000),
  })
  .refine(
    ({ tokens, arrivals }) =>
      arrivals.reduce((sum, arrival) => sum + arrival.tokens, 0) === tokens.length,
    { message: 'arrivals must add up to tokens' },
  );

/** What a peer is asked for. */
export interface PeerRequest {
  readonly prompt: readonly number[];
  readonly max_new_tokens: number;
  readonly eos: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
}
/** What came of it. */
export type PeerAnswer = z.infer<typeof generated>;

export class PeerProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #said = '';
  #version = '';

  private constructor(command: readonly string[], threads: number) {
    const [file, ...args] = command;
    // Torch counts threads before it is told; nothing is to be downloaded.
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), HF_HUB_OFFLINE: '1' };
    this.#child = spawn(file!, args, { env, stdio: 'pipe' });
    this.#child.on('error', (error) => {
      this.#said = error.message;
    });
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-LAST_CHARACTERS);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts a peer and waits until its model is loaded. @throws Error that says why it cannot run here. */
  static async start(command: readonly string[], threads: number): Promise<PeerProcess> {
    const peer = new PeerProcess(command, threads);
    try {
      peer.#version = (await peer.#answer(ready)).version;
      return peer;
    } catch (error) {
      peer.stop();
      throw error;
    }
  }

  /** Of the engine and what it runs on. */
  get version(): string {
    return this.#version;
  }

  /** @throws Error that says why there is no answer. */
  async generate(request: PeerRequest): Promise<PeerAnswer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return await this.#answer(generated);
  }

  stop(): void {
    this.#child.kill();
  }

  async #answer<T>(schema: z.ZodType<T>): Promise<T> {
    const timer = setTimeout(() => this.stop(), PATIENCE_SECONDS * 1000);
    const { value: line, done } = await this.#lines.next().finally(() => clearTimeout(timer));
    if (done) throw new Error(this.#said.trim().split('\n').at(-1) || 'it ended without a word');
    const answer = parseLine(line);
    const failure = failed.safeParse(answer);
    if (failure.success) throw new Error(failure.data.error);
    return schema.parse(answer);
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`it answered with what is no JSON (${errorMessage(error)})`);
  }
}
