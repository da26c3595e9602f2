import type { Patience } from '../../src/hub/client.js';

/** Faults are borne for moments only. */
export const HASTE: Patience = { attempts: 3, firstPause: 0.01, longestPause: 2, silence: 20 };
