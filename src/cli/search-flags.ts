/** Kinds of flags that only a search has. */
import { Flags } from '@oclif/core';
import { InputError } from '../errors.js';
import { DEFAULTS } from '../search/defaults.js';
import { integerFlag } from './flags.js';

/** A count of 1 or more whose default depends on `--fidelity`. */
export function countFlag(flag: string, text: string, of: keyof (typeof DEFAULTS)['ladder']) {
  const { ladder, decode } = DEFAULTS;
  const summary = `${text} [default: ${ladder[of]}; with --fidelity decode ${decode[of]}].`;
  return integerFlag(flag, 1)({ summary });
}

/** A flag that takes a duration such as `90s`, `10m`, `2h` or a number of seconds, and gives seconds. */
export function durationFlag(flag: string) {
  return Flags.custom<number>({
    helpValue: '90s|10m',
    parse: async (text) => {
      const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text.trim());
      const seconds = match ? Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] ?? 's']! : 0;
      if (seconds > 0) return seconds;
      throw new InputError(`--${flag} is "${text}": give a time such as 90s, 10m or 2h.`);
    },
  });
}
