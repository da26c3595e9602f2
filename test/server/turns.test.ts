import { describe, expect, it } from 'vitest';
import { createTurns } from '../../src/server/turns.js';

const never = new AbortController().signal;

/** Work that lasts until it is told to end. */
function work() {
  let end = () => {};
  const lasting = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { run: () => lasting, end };
}

describe('turns', () => {
  it('go from client to client, and in order within one', async () => {
    const turns = createTurns(10);
    const order: string[] = [];
    const first = work();
    const running = turns.take('z', never, first.run);
    const asked = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) =>
      turns.take(name[0]!, never, async () => {
        order.push(name);
      }),
    );
    expect([turns.busy, turns.waiting]).toEqual([true, 6]);
    first.end();
    await Promise.all([running, ...asked]);
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect([turns.busy, turns.waiting]).toEqual([false, 0]);
  });

  it('are one at a time, and go on after a failure', async () => {
    const turns = createTurns(10);
    let at = 0;
    let most = 0;
    const asked = Array.from({ length: 8 }, (_, i) =>
      turns.take('a', never, async () => {
        most = Math.max(most, ++at);
        await new Promise((resolve) => setTimeout(resolve, 1));
        at--;
        if (i % 2 === 0) throw new Error('fails');
        return i;
      }),
    );
    const settled = await Promise.allSettled(asked);
    expect(most).toBe(1);
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual([
      ...['failed', 1, 'failed', 3, 'failed', 5, 'failed', 7],
    ]);
  });

  it('are refused past the limit, with a time to wait', async () => {
    const turns = createTurns(1);
    const first = work();
    const running = turns.take('a', never, first.run);
    const waiting = turns.take('a', never, async () => 'had it');
    const refused = turns.take('b', never, async () => {});
    await expect(refused).rejects.toMatchObject({ status: 429, retryAfter: expect.any(Number) });
    first.end();
    expect(await waiting).toBe('had it');
    await running;
    expect(await turns.take('b', never, async () => 'now')).toBe('now');
  });

  it('are lost by those that go away or are sent away', async () => {
    const turns = createTurns(10);
    const first = work();
    const running = turns.take('a', never, first.run);
    const controller = new AbortController();
    const had: string[] = [];
    const gone = turns.take('a', controller.signal, async () => void had.push('gone'));
    const sent = turns.take('b', never, async () => void had.push('sent'));
    controller.abort(new Error('away'));
    await expect(gone).rejects.toThrow('away');
    turns.dismiss(new Error('closing'));
    await expect(sent).rejects.toThrow('closing');
    expect(turns.waiting).toBe(0);
    let idle = false;
    const idling = turns.idle().then(() => {
      idle = true;
    });
    await Promise.resolve();
    expect(idle).toBe(false);
    first.end();
    await Promise.all([running, idling]);
    expect(had).toEqual([]);
    await turns.idle();
  });

  it('do not begin for one that is gone already', async () => {
    const turns = createTurns(1);
    await expect(
      turns.take('a', AbortSignal.abort(new Error('away')), async () => 1),
    ).rejects.toThrow('away');
    expect(turns.busy).toBe(false);
  });
});
