import { expect, it, vi } from 'vitest';
import { mostRepeats, ofKind, repeated, timeInTurns } from '../../src/measurement/pass-timer.js';

it('kinds take turns, and the beginning of every stretch does not count', async () => {
  const order: string[] = [];
  const stretch = (kind: string, passes: number) => async () => {
    order.push(kind);
    return Array.from({ length: passes }, (_, i) => `${kind}${i}`);
  };
  const asked: number[] = [];
  const rounds = await timeInTurns([stretch('a', 4), stretch('b', 3)], {
    settling: (passes) => passes >> 1,
    goesOn(done) {
      asked.push(done);
      return done < 2;
    },
    watch: () => () => 0,
  });
  expect(order).toEqual(['a', 'b', 'a', 'b']);
  expect(asked).toEqual([1, 2]);
  expect(rounds).toEqual([
    [
      ['a2', 'a3'],
      ['b1', 'b2'],
    ],
    [
      ['a2', 'a3'],
      ['b1', 'b2'],
    ],
  ]);
  expect(ofKind(rounds, 1)).toEqual(['b1', 'b2', 'b1', 'b2']);
});

it('a round that other processes disturbed is timed again, but a machine that stays busy is not waited for', async () => {
  const timed = async (disturbed: readonly number[], rounds: number) => {
    let tries = 0;
    const asked: number[] = [];
    const times = await timeInTurns([async () => [tries]], {
      settling: () => 0,
      goesOn(done) {
        asked.push(done);
        return done < rounds;
      },
      watch: () => () => (disturbed.includes(tries++) ? 0.4 : 0.05),
    });
    return { tries, asked, times: times.flat(2) };
  };
  expect(await timed([1, 2, 4], 3)).toEqual({ tries: 6, asked: [1, 2, 3], times: [0, 3, 5] });
  const always = Array.from({ length: 100 }, (_, i) => i);
  const { tries, times } = await timed(always, 4);
  expect(tries).toBe(4 + mostRepeats);
  expect(times).toEqual([8, 9, 10, 11]);
});

it('a stretch has its passes, each with what runs before it left out of its time', async () => {
  // A clock that only passes move: 5 ms each, and 100 ms for what is not timed.
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  try {
    const pass = async () => {
      now += 5;
    };
    const before: number[] = [];
    const times = await repeated(pass, { passes: 4 }, async (done) => {
      before.push(done);
      now += 100;
    })();
    expect(times).toEqual([5, 5, 5, 5]);
    expect(before).toEqual([0, 1, 2, 3]);
    // As long as it is to last, whatever the passes take.
    expect(await repeated(pass, { passes: 2, milliseconds: 32 })()).toHaveLength(7);
    expect(await repeated(pass, { passes: 9, milliseconds: 32 })()).toHaveLength(9);
  } finally {
    clock.mockRestore();
  }
});
