import { createConversations } from '../decoding/conversations.js';
import type { GenerateEvent } from '../decoding/generate.js';
import { InputError } from '../errors.js';
import { colours } from '../reporting/colours.js';
import { draftLegend } from '../reporting/draft-colours.js';
import { type GenerationFigures, generationFigures } from '../reporting/generation.js';
import { messageOf, parseCommand, runCommand } from './chat-commands.js';
import { type ChatInput, createChatInput } from './chat-input.js';
import { type ChatSession, type ChatTurn, createChatSession } from './chat-session.js';
import { prepareDecoding } from './decoding.js';
import { createPrinter } from './generation-printer.js';
import { interruptible } from './interrupt.js';
import type { ModelFlags } from './load.js';
import { type MethodFlags, type SamplingFlags, samplingOptions } from './method.js';
import { tell } from './tell.js';

/** Values of the flags of `sspec chat`. */
export interface ChatFlags extends ModelFlags, MethodFlags, SamplingFlags {
  readonly system?: string | undefined;
  readonly 'max-new-tokens': number;
  readonly stop?: readonly string[] | undefined;
  readonly 'show-draft'?: boolean | undefined;
}

/** What `sspec chat --json` prints at its end. */
export interface ChatDocument {
  readonly model: string;
  readonly precision: string;
  readonly method: string;
  readonly system: string | null;
  /** Of the conversation as it was at the end. */
  readonly turns: readonly {
    readonly user: string;
    readonly assistant: string;
    readonly finish_reason: ChatTurn['finishReason'];
    readonly prompt_tokens: number;
    readonly cached_tokens: number;
    readonly stats: GenerationFigures;
  }[];
}

/** How a chat is told of while it runs. */
interface ChatOutput {
  /** Answers go to stdout as they are made. */
  readonly isPrinted: boolean;
  /** A sentence for stderr. */
  readonly notice: (text: string) => void;
}

/**
 * Talks until the input ends. From a terminal Ctrl-C ends an answer, and a fault is told and no more; from a pipe both end the chat.
 * @throws InputError for flags that do not fit each other or the model; InterruptedError after Ctrl-C without a terminal.
 */
export async function runChat(flags: ChatFlags, output: ChatOutput): Promise<ChatDocument> {
  const { stop = [], coupling, system } = flags;
  if (stop.includes('')) throw new InputError('--stop is empty: give the text to stop at.');
  const sampling = samplingOptions(flags);
  const { model, method, exact } = await prepareDecoding(flags, output.notice, true);
  try {
    const { tokenizer, engine, reference } = model;
    if (!tokenizer)
      throw new InputError(`The model ${reference} has no tokenizer.json, so it cannot chat.`);
    if (!tokenizer.hasChatTemplate && system !== undefined)
      throw new InputError(
        'The model has no chat template, so it takes no system message; leave --system out.',
      );
    if (!tokenizer.hasChatTemplate)
      output.notice('The model has no chat template: it goes on with your text.');
    // Where passes of other lengths give other bits, what was kept could change a text.
    const conversations = createConversations(engine, exact ? 1 : 0);
    const generator = { model, method, coupling, conversations };
    const maxTokens = flags['max-new-tokens'];
    const session = createChatSession({ generator, tokenizer, sampling, stop, maxTokens }, system);
    const isDrafting = method.name !== 'autoregressive';
    const showDraft = flags['show-draft'] ?? (isDrafting && colours.level > 0);
    const printer = () =>
      createPrinter(tokenizer, { isPrinted: output.isPrinted, showDraft, quiet: true });
    const input = createChatInput();
    const { precision } = engine.model;
    if (input.isInteractive && !flags.quiet) {
      process.stderr.write(`${reference} in ${precision}, ${method.name}; /help lists commands.\n`);
      if (showDraft) process.stderr.write(`${draftLegend()}\n`);
    }
    await converse(session, input, printer, tokenizer.hasChatTemplate);
    return {
      ...{ model: reference, precision, method: method.name, system: session.system ?? null },
      turns: session.turns.map(turnRecord),
    };
  } finally {
    await model.close();
  }
}

async function converse(
  session: ChatSession,
  input: ChatInput,
  printer: () => ReturnType<typeof createPrinter>,
  hasSystem: boolean,
): Promise<void> {
  for (;;) {
    const line = await input.next();
    if (line === null) {
      // The shell's prompt is to begin on a line of its own.
      if (input.isInteractive) process.stderr.write('\n');
      return;
    }
    if (line.trim() === '') continue;
    try {
      const command = parseCommand(line);
      if (command) {
        const result = runCommand(command, session, hasSystem);
        if (result === 'quit') return;
        process.stderr.write(`${result.text}\n`);
        continue;
      }
      await answer(session, messageOf(line), printer(), input.isInteractive);
    } catch (error) {
      if (!input.isInteractive || !(error instanceof InputError)) throw error;
      tell('Error', error.message);
    }
  }
}

async function answer(
  session: ChatSession,
  text: string,
  printer: ReturnType<typeof createPrinter>,
  isInteractive: boolean,
): Promise<void> {
  const say = async (signal: AbortSignal) => {
    let isBegun = false;
    const onEvent = (event: GenerateEvent) => {
      isBegun = true;
      printer.event(event);
    };
    try {
      await session.say(text, onEvent, signal);
    } finally {
      // Of what is refused nothing is printed.
      if (isBegun || signal.aborted) printer.end();
    }
  };
  await (isInteractive ? stoppedByCtrlC(say) : interruptible(say));
}

/** Ctrl-C ends the work, as often as it is pressed, and nothing else. */
async function stoppedByCtrlC(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const onSignal = () => controller.abort();
  process.on('SIGINT', onSignal);
  try {
    await work(controller.signal);
  } finally {
    process.off('SIGINT', onSignal);
  }
}

function turnRecord(turn: ChatTurn): ChatDocument['turns'][number] {
  const { user, assistant, finishReason, promptTokens, cachedTokens, statistics, seconds } = turn;
  return {
    ...{ user, assistant, finish_reason: finishReason },
    ...{ prompt_tokens: promptTokens, cached_tokens: cachedTokens },
    stats: generationFigures(statistics, seconds),
  };
}
