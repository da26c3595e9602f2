import { describe, expect, it } from 'vitest';
import { InputError } from '../src/errors.js';

describe('InputError', () => {
  it('stays on one line and colours no terminal, whatever it quotes', () => {
    const { message } = new InputError(
      'a.json: field "x\u001b[31m\0\u202e" cannot\n  be used.\u2028',
    );
    expect(message).toBe('a.json: field "x\\u001b[31m\\u0000\\u202e" cannot be used.\\u2028');
  });

  it('writes half a character as an escape and leaves whole ones', () => {
    expect(new InputError('\ud800 😀 é 你').message).toBe('\\ud800 😀 é 你');
  });

  it('is cut inside, where the quotation is: file and advice stay', () => {
    const { message } = new InputError(`a.json: "${'x'.repeat(1e6)}" is no name; choose another.`);
    expect(message.length).toBeLessThanOrEqual(1000);
    expect(message).toMatch(/^a\.json: "x+ … x+" is no name; choose another\.$/);
  });
});
