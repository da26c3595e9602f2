import { createTextStream } from '../checkpoint/text-stream.js';
import type { TextTokenizer } from '../checkpoint/tokenizer.js';
import {
  type GenerateEvent,
  type GenerateRequest,
  type Generation,
  generate,
} from '../decoding/generate.js';
import type { Engine } from '../engine/engine.js';
import { createDraftPainter, draftLegend } from '../reporting/draft-colours.js';

/** Where a generation's text goes as it is made. */
export interface Printer {
  event(event: GenerateEvent): void;
  end(): void;
}

/** How it is shown. */
interface PrinterOptions {
  readonly isPrinted: boolean;
  /** Coloured by where each token came from. */
  readonly showDraft: boolean;
  /** No legend of the colours on stderr. */
  readonly quiet: boolean;
}

/** Writes events to stdout: text, or token ids between commas where the model has no tokenizer. */
export function createPrinter(
  tokenizer: TextTokenizer | null,
  { isPrinted, showDraft, quiet }: PrinterOptions,
): Printer {
  if (!isPrinted) return { event: () => {}, end: () => {} };
  const textOf = showDraft ? draftText(tokenizer) : plainText(tokenizer);
  if (showDraft && !quiet) process.stderr.write(`${draftLegend()}\n\n`);
  return {
    event: (event) => process.stdout.write(textOf(event)),
    end: () => process.stdout.write('\n'),
  };
}

type TextOf = (event: GenerateEvent) => string;

function plainText(tokenizer: TextTokenizer | null): TextOf {
  if (tokenizer) return ({ text }) => text;
  const idText = commaSeparated();
  return ({ tokens }) => tokens.map(idText).join('');
}

function draftText(tokenizer: TextTokenizer | null): TextOf {
  const stream = tokenizer
    ? createTextStream(tokenizer)
    : { push: commaSeparated(), end: () => '' };
  const paint = createDraftPainter(stream.push, stream.end);
  const plain = plainText(tokenizer);
  return tokenizer ? paint : (event) => paint({ ...event, text: plain(event) });
}

/** Texts of ids that come one by one, with commas between. */
function commaSeparated(): (id: number) => string {
  let count = 0;
  return (id) => `${count++ === 0 ? '' : ','}${id}`;
}

/** Decodes to the end, or to the round in which `signal` is aborted. */
export async function decode(
  engine: Engine,
  request: GenerateRequest,
  printer: Printer,
  signal: AbortSignal,
): Promise<Generation> {
  const running = generate(engine, request);
  let step = await running.next();
  try {
    for (; !step.done; step = await running.next()) {
      printer.event(step.value);
      signal.throwIfAborted();
    }
  } finally {
    printer.end();
  }
  return step.value;
}
