import { describe, expect, it } from 'vitest';
import { PeerProcess } from '../../experiments/lib/peers-process.js';
import { peersMarkdown } from '../../experiments/lib/peers-report.js';
import { measurePeers, type RunningPeer } from '../../experiments/lib/peers-run.js';
import {
  firstDifference,
  type PeerSample,
  peerSample,
  summarisePeers,
  tokensPerSecond,
} from '../../experiments/lib/peers-summary.js';
import { describeEnvironment } from '../../src/measurement/environment.js';

const prompt = { id: 'p', dataset: 'd' };
const told = () => ({ weights: 'int8', setting: null });

function sample(peer: string, method: string, id: number, seconds: number, tokens = [1, 2, 3]) {
  const of: PeerSample = {
    ...{ peer, method, prompt: String(id), dataset: 'd', tokens, decoded: tokens.length - 1 },
    ...{ prefillSeconds: id, decodeSeconds: seconds },
  };
  return of;
}

describe('the generation of a peer', () => {
  it('counts what came after the first lot, up to the end of the sequence', () => {
    const arrivals = [
      { tokens: 2, seconds: 0.5 },
      { tokens: 3, seconds: 1.5 },
    ];
    const whole = peerSample('a', 'm', prompt, { tokens: [5, 6, 7, 8, 9], arrivals, eos: [2] });
    expect(whole).toMatchObject({ decoded: 3, prefillSeconds: 0.5, decodeSeconds: 1 });
    // The end itself takes a pass, but is no text, and what comes after it is neither.
    const ended = peerSample('a', 'm', prompt, { tokens: [5, 6, 7, 2, 9], arrivals, eos: [2] });
    expect(ended).toMatchObject({ tokens: [5, 6, 7], decoded: 2 });
    const atOnce = peerSample('a', 'm', prompt, {
      ...{ tokens: [2, 9], arrivals: arrivals.slice(0, 1), eos: [2] },
    });
    expect(atOnce).toMatchObject({ tokens: [], decoded: 0, decodeSeconds: 0 });
    expect(tokensPerSecond([whole, ended, atOnce])).toBe(5 / 2);
    expect(tokensPerSecond([atOnce])).toBe(0);
  });
});

describe('firstDifference', () => {
  it('finds where texts part, the end of one included', () => {
    expect(firstDifference([1, 2], [1, 2])).toBeNull();
    expect(firstDifference([1, 2], [1, 3])).toBe(1);
    expect(firstDifference([1], [1, 3])).toBe(1);
    expect(firstDifference([], [])).toBeNull();
  });
});

describe('the rows', () => {
  const samples = [1, 2, 3, 4, 5].flatMap((id) => [
    sample('sspec', 'autoregressive', id, 1),
    sample('other', 'autoregressive', id, 2),
    // Twice as fast, but on the third prompt it says something else.
    sample('other', 'lookup', id, 1, id === 3 ? [1, 9, 3] : [1, 2, 3]),
  ]);
  const rows = summarisePeers(samples, told);
  const row = (peer: string, method: string) =>
    rows.find((one) => one.peer === peer && one.method === method)!;

  it('hold each method against its own engine and against sspec', () => {
    expect(rows.map(({ peer, method }) => `${peer} ${method}`)).toEqual([
      'sspec autoregressive',
      'other autoregressive',
      'other lookup',
    ]);
    expect(row('sspec', 'autoregressive')).toMatchObject({ speedup: null, over_sspec: null });
    expect(row('other', 'autoregressive')).toMatchObject({ speedup: null, over_sspec: 0.5 });
    expect(row('other', 'lookup')).toMatchObject({ speedup: 2, over_sspec: 1 });
  });

  it('have speeds with intervals and the median of prefills', () => {
    expect(row('other', 'lookup').tokens_per_second).toBe(2);
    const [low, high] = row('other', 'lookup').tokens_per_second_ci95!;
    expect(low).toBeCloseTo(2);
    expect(high).toBeCloseTo(2);
    expect(row('other', 'lookup').prefill_seconds).toBe(3);
  });

  it('tell which texts are not those of autoregressive decoding', () => {
    expect(row('other', 'autoregressive')).toMatchObject({ same_texts: null, divergences: [] });
    expect(row('other', 'lookup')).toMatchObject({
      ...{ same_texts: 4, divergences: [{ prompt: '3', position: 1 }] },
    });
  });

  it('have no interval of a few prompts', () => {
    const few = summarisePeers(samples.slice(0, 6), told);
    expect(few.map((one) => one.speedup_ci95 ?? one.over_sspec_ci95)).toEqual([null, null, null]);
  });

  it('are a table with what one must know beside it', () => {
    const text = peersMarkdown({
      ...{ command: 'node x', model: 'm', dataset: 'd', max_new_tokens: 4, threads: 2, rows },
      peers: [{ name: 'other', version: 'other 1', timer: 'its passes' }],
      left_out: ['another is left out: not here'],
      environment: describeEnvironment({ threads: 2, precision: 'int8' }),
    });
    expect(text).toContain('| other, int8 | lookup | 2.0 [2.0, 2.0] | 2.00x [2.00, 2.00] |');
    expect(text).toContain('- other (other 1): its passes.');
    expect(text).toContain('- another is left out: not here');
  });
});

describe('measuring', () => {
  const script = (answers: string) => [
    ...['node', '-e'],
    `const say = (line) => console.log(JSON.stringify(line));
     say({ ready: true, version: 'x 1' });
     require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
       const { options, prompt, max_new_tokens: most } = JSON.parse(line);
       ${answers}
     });`,
  ];
  const generation = `
    const tokens = [...Array(most).keys()].map((i) => prompt[0] + i);
    const arrivals = tokens.map((_, i) => ({ tokens: 1, seconds: (i + 1) * (options.step ?? 1) }));
    say({ tokens, arrivals });`;
  const peer = {
    ...{ name: 'sspec', weights: 'int8', timer: 'x', command: script(generation) },
    methods: [
      {
        name: 'autoregressive',
        settings: [
          { label: 'slow', options: { step: 2 } },
          { label: 'fast', options: { step: 0.5 } },
        ],
      },
      { name: 'broken', settings: [{ label: '', options: {} }] },
    ],
  };
  const prompts = [10, 20].map((id) => ({ id: String(id), dataset: 'd', tokens: [id] }));
  const trials = [{ id: '30', dataset: 'd', tokens: [30] }];

  it('takes the fastest setting, and leaves out what fails on the way', async () => {
    const process = await PeerProcess.start(peer.command, 1);
    const asked: [unknown, number][] = [];
    const running: RunningPeer = {
      peer,
      process: {
        generate(request) {
          asked.push([request.options.step, request.prompt[0]!]);
          const isBroken = request.options.step === undefined && request.prompt[0] === 20;
          return isBroken ? Promise.reject(new Error('no room')) : process.generate(request);
        },
      },
    };
    try {
      const run = { prompts, trials, maxNewTokens: 3, eos: [] };
      const { samples, settings, left } = await measurePeers([running], run);
      expect(process.version).toBe('x 1');
      expect([...settings.values()].map(({ label }) => label)).toEqual(['fast', '']);
      expect(samples.map(({ method, tokens }) => [method, tokens])).toEqual([
        ['autoregressive', [10, 11, 12]],
        ['autoregressive', [20, 21, 22]],
      ]);
      expect(left).toEqual(['sspec, broken is left out: no room']);
      // Trials are on prompts of their own, and the order of methods rotates.
      const measured = asked.filter(([, first]) => first !== 30);
      expect(measured).toEqual([
        [0.5, 10],
        [undefined, 10],
        [undefined, 20],
        [0.5, 20],
      ]);
    } finally {
      process.stop();
    }
  });

  it.each([
    ['one that is not installed', ['no-such-program'], /ENOENT/],
    [
      'one that says so',
      ['node', '-e', 'console.log(JSON.stringify({ error: "no torch" }))'],
      /^no torch$/,
    ],
    ['one that dies', ['node', '-e', 'console.error("a\\nb"); process.exit(1)'], /^b$/],
    ['one that talks', ['node', '-e', 'console.log("hello")'], /no JSON/],
  ])('a peer that cannot start says why: %s', async (_, command, message) => {
    await expect(PeerProcess.start(command, 1)).rejects.toThrow(message);
  });

  it('an answer whose arrivals do not add up is refused', async () => {
    const process = await PeerProcess.start(
      script('say({ tokens: [1, 2], arrivals: [{ tokens: 1, seconds: 1 }] });'),
      1,
    );
    const request = { prompt: [1], max_new_tokens: 2, eos: [], options: {} };
    await expect(process.generate(request)).rejects.toThrow('arrivals must add up');
    process.stop();
  });
});
