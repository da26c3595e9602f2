import chalk, { Chalk, type ChalkInstance, chalkStderr } from 'chalk';

// chalk asks the terminal and FORCE_COLOR, but not NO_COLOR (https://no-color.org: any value but the empty one).
const plain = process.env.NO_COLOR ? new Chalk({ level: 0 }) : undefined;

/** Colours for stdout: none when it is no terminal or NO_COLOR is set. */
export const colours: ChalkInstance = plain ?? chalk;

/** Colours for stderr. */
export const stderrColours: ChalkInstance = plain ?? chalkStderr;
