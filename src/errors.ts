/**
 * A fault of what the user gave us (a flag, a file, a value in a file): one clear sentence that says what is wrong,
 * where (file, field, line) and what to do. The command line prints it alone and exits with 2.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}
