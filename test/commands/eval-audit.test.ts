import { afterEach, describe, expect, it, vi } from 'vitest';
import Eval from '../../commands/eval.js';
import { expectRefused, runCommand } from './run.js';

// A verification with a fault: from some place on it takes the drafted token whatever the target says.
const fault = vi.hoisted(() => ({ from: Number.POSITIVE_INFINITY }));
vi.mock('../../src/decoding/coupling.js', async (original) => {
  const real = await original<typeof import('../../src/decoding/coupling.js')>();
  const createCoupling: typeof real.createCoupling = (...argv) => {
    const coupling = real.createCoupling(...argv);
    return {
      ...coupling,
      // Else nobody would ask it.
      isGreedy: false,
      verify(logits, offset, position, index, proposed) {
        const token = coupling.verify(logits, offset, position, index, proposed);
        return proposed !== real.NONE && position >= fault.from ? proposed : token;
      },
    };
  };
  return { ...real, createCoupling };
});

const audit = (...argv: string[]) =>
  runCommand(Eval, [
    ...['--max-new-tokens', '30', '--repetitions', '2', '--no-warmup', '--limit', '2', '-q'],
    ...['--dataset', 'help', '--methods', 'lookup', '--audit', ...argv],
  ]);

afterEach(() => {
  fault.from = Number.POSITIVE_INFINITY;
  process.exitCode = undefined;
});

describe('sspec eval --audit', () => {
  it('says how many outputs and tokens it compared, and exits with 0 where none differs', async () => {
    const { code, stdout } = await audit('--json');
    expect(code, stdout).toBe(0);
    const { audit: record, rows } = JSON.parse(stdout);
    // Two prompts, two repetitions, two methods; the first autoregressive output of each prompt is what the others are held against.
    const tokens = rows.reduce(
      (sum: number, row: { method: string; new_tokens: number }) =>
        sum + (row.method === 'lookup' ? 2 : 1) * row.new_tokens,
      0,
    );
    expect(record).toEqual({
      outputs: 6,
      tokens,
      different_outputs: 0,
      near_ties: 0,
      defects: 0,
      bit_exact: true,
    });
    const table = await audit();
    expect(table.code).toBe(0);
    expect(table.stdout.replaceAll('\n', ' ')).toContain(
      `Audit: 6 outputs with ${tokens} tokens compared with autoregressive decoding, none differs.`,
    );
  });

  it('finds a wrong token in every repetition, records its place and exits with 1', async () => {
    fault.from = 0;
    const { code, stdout } = await audit('--json');
    expect(code, stdout).toBe(1);
    const { audit: record, rows } = JSON.parse(stdout);
    expect(record.outputs).toBe(6);
    expect(record.different_outputs).toBeGreaterThan(0);
    // Both repetitions go wrong in the same way: told once, counted twice.
    expect(record.different_outputs).toBe(2 * record.defects);
    const [plain, lookup] = rows;
    expect(plain.identical_outputs).toBe(true);
    expect(lookup.identical_outputs).toBe(false);
    expect(lookup.divergences).toHaveLength(record.defects);
    for (const divergence of lookup.divergences) {
      expect(divergence).toEqual({
        prompt: expect.stringMatching(/^help-h/),
        position: expect.any(Number),
        margin: expect.any(Number),
        kind: 'defect',
      });
      // The baseline's token was the target's choice.
      expect(divergence.margin).toBeGreaterThan(0);
    }
    const table = await audit();
    expect(table.code).toBe(1);
    expect(table.stdout).toContain(`${record.different_outputs} differ`);
  });

  it('says it on stderr where the rows are CSV', async () => {
    const { stdout } = await audit('--format', 'csv');
    expect(stdout).not.toContain('Audit');
    const loud = await runCommand(Eval, [
      ...['--max-new-tokens', '2', '--repetitions', '1', '--no-warmup', '--limit', '1'],
      ...['--dataset', 'help', '--methods', 'lookup', '--audit', '--format', 'csv'],
    ]);
    expect(loud.stderr).toMatch(/Audit: 1 outputs with 2 tokens compared/);
  });

  it('is refused with a coupling that does not keep outputs', async () => {
    const sampled = ['--coupling', 'maximal', '--temperature', '0.8'];
    expectRefused(await audit(...sampled), /--audit compares outputs token by token/);
    expect((await audit('--coupling', 'maximal')).code).toBe(0);
  });
});
