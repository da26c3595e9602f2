import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { integerFlag, methodFlags, modelFlags, samplingFlags, seedFlag } from '../src/cli/flags.js';
import { interruptible } from '../src/cli/interrupt.js';
import { type PromptSource, readPrompt } from '../src/cli/prompt.js';
import type { GenerateEvent, GenerateRequest, Generation } from '../src/decoding/generate.js';
import type { Model } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import type { GenerationFigures } from '../src/reporting/generation.js';

/** What `--json` prints. */
interface GenerateDocument {
  readonly model: string;
  readonly precision: string;
  readonly method: string;
  readonly prompt_tokens: number;
  /** The new ones. */
  readonly token_ids: readonly number[];
  /** null for a model without a tokenizer. */
  readonly text: string | null;
  readonly finish_reason: Generation['finishReason'];
  readonly stats: GenerationFigures;
}

const PROMPT = 'PROMPT';

export default class Generate extends BaseCommand {
  static override readonly summary = 'Decode a prompt, faster with a skip profile.';
  static override readonly description =
    `The new text goes to stdout as it is made. It does not depend on the method, only the time does.
The prompt is --prompt, --prompt-file, --prompt-ids or stdin.`;
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> --prompt "Once upon a time" --stats',
    '<%= config.bin %> <%= command.id %> --prompt "def add(a, b):" --skip-attention 3,5 --skip-mlp 4 --show-draft',
    '<%= config.bin %> <%= command.id %> --prompt "Once upon a time" --profile profile.json',
    'echo "Once upon a time" | <%= config.bin %> <%= command.id %> --temperature 0.8 --seed 7 --json',
  ];
  static override readonly flags = {
    prompt: Flags.string({
      char: 'p',
      helpGroup: PROMPT,
      helpValue: 'TEXT',
      exclusive: ['prompt-file', 'prompt-ids'],
      summary: 'The prompt.',
    }),
    'prompt-file': Flags.string({
      helpGroup: PROMPT,
      helpValue: 'FILE',
      exclusive: ['prompt-ids'],
      summary: 'A text file with the prompt; its last line break is left out.',
    }),
    'prompt-ids': Flags.string({
      helpGroup: PROMPT,
      helpValue: '1,2,3',
      exclusive: ['chat'],
      summary: 'The prompt as token ids; models without a tokenizer know no other.',
    }),
    chat: Flags.boolean({
      helpGroup: PROMPT,
      summary: "Make the prompt a user's message in the model's chat template.",
    }),
    system: Flags.string({
      helpGroup: PROMPT,
      helpValue: 'TEXT',
      exclusive: ['prompt-ids'],
      summary: 'A system message before it; asks for --chat.',
    }),
    'max-new-tokens': integerFlag(
      'max-new-tokens',
      1,
    )({
      default: 128,
      summary: 'Most tokens to make.',
    }),
    stop: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'TEXT',
      summary: 'Text that ends the output, itself left out; may be repeated.',
    }),
    'ignore-eos': Flags.boolean({ summary: 'Go on after an end-of-sequence token.' }),
    ...seedFlag,
    'show-draft': Flags.boolean({
      summary: 'Colour the text by where each token came from (not with --json).',
    }),
    stats: Flags.boolean({ summary: 'A table of counts and times on stderr.' }),
    ...methodFlags,
    ...samplingFlags,
    ...modelFlags,
  };

  async run(): Promise<GenerateDocument> {
    const { flags } = await this.parse(Generate);
    const { resolveMethod, samplingOptions } = await import('../src/cli/method.js');
    const { loadModelWithProgress } = await import('../src/cli/load.js');
    const { readProfile } = await import('../src/profile/profile.js');
    const { generationFigures, figuresTable } = await import('../src/reporting/generation.js');
    const { stop = [], coupling } = flags;
    if (stop.includes('')) throw new InputError('--stop is empty: give the text to stop at.');
    const sampling = samplingOptions(flags);
    const source = await readPrompt(flags);
    // A wrong file name should not wait for a large model to be loaded.
    const profile = flags.profile === undefined ? undefined : readProfile(flags.profile);
    const model = await loadModelWithProgress(flags, profile);
    try {
      const { method, warnings } = resolveMethod(flags, model.engine);
      const { checkExactness } = await import('../src/cli/exactness.js');
      const exactness =
        method.name === 'autoregressive'
          ? []
          : (await checkExactness(model.engine, flags.quiet)).warnings;
      for (const warning of [...warnings, ...exactness]) this.notice(warning, flags.quiet);
      const prompt = promptTokens(source, flags, model);
      if (
        source.kind === 'text' &&
        !flags.chat &&
        flags.system === undefined &&
        model.tokenizer?.hasChatTemplate
      )
        this.notice(
          'The model has a chat template: with --chat the prompt is a message to it, without it text to be continued.',
          flags.quiet,
        );
      const request = {
        prompt,
        method,
        sampling,
        coupling,
        stop,
        maxNewTokens: flags['max-new-tokens'],
        ignoreEos: flags['ignore-eos'],
        tokenizer: model.tokenizer,
      };
      const show = await this.printer(model, flags['show-draft'], flags.quiet);
      const started = performance.now();
      const generation = await interruptible((signal) => decode(model, request, show, signal));
      const figures = generationFigures(
        generation.statistics,
        (performance.now() - started) / 1000,
      );
      const { tokens, text, finishReason } = generation;
      if (flags.stats && !this.jsonEnabled()) {
        const shown = figuresTable(method.name, prompt.length, tokens.length, figures);
        process.stderr.write(`\n${shown}\n`);
      }
      return {
        model: model.reference,
        precision: model.engine.model.precision,
        method: method.name,
        prompt_tokens: prompt.length,
        token_ids: tokens,
        text: model.tokenizer ? text : null,
        finish_reason: finishReason,
        stats: figures,
      };
    } finally {
      await model.close();
    }
  }

  /** Writes events to stdout: text, or token ids between commas where the model has no tokenizer. */
  private async printer(
    { tokenizer }: Model,
    showDraft: boolean,
    quiet: boolean,
  ): Promise<Printer> {
    if (this.jsonEnabled()) return { event: () => {}, end: () => {} };
    let textOf = ({ text }: GenerateEvent) => text;
    if (!tokenizer) {
      const idText = commaSeparated();
      textOf = ({ tokens }) => tokens.map(idText).join('');
    }
    if (showDraft) {
      const { createDraftPainter, draftLegend } = await import('../src/reporting/draft-colours.js');
      const { createTextStream } = await import('../src/checkpoint/text-stream.js');
      const stream = tokenizer
        ? createTextStream(tokenizer)
        : { push: commaSeparated(), end: () => '' };
      const paint = createDraftPainter(stream.push, stream.end);
      const plain = textOf;
      textOf = tokenizer ? paint : (event) => paint({ ...event, text: plain(event) });
      if (!quiet) process.stderr.write(`${draftLegend()}\n\n`);
    }
    return {
      event: (event) => process.stdout.write(textOf(event)),
      end: () => process.stdout.write('\n'),
    };
  }
}

/** Texts of ids that come one by one, with commas between. */
function commaSeparated(): (id: number) => string {
  let count = 0;
  return (id) => `${count++ === 0 ? '' : ','}${id}`;
}

interface Printer {
  event(event: GenerateEvent): void;
  end(): void;
}

/** Decodes to the end, or to the round in which `signal` is aborted. */
async function decode(
  model: Model,
  request: GenerateRequest,
  printer: Printer,
  signal: AbortSignal,
): Promise<Generation> {
  const { generate } = await import('../src/decoding/generate.js');
  const running = generate(model.engine, request);
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

/** @throws InputError for text where the model has no tokenizer, or a chat without a template. */
function promptTokens(
  source: PromptSource,
  { chat, system }: { readonly chat: boolean; readonly system?: string | undefined },
  model: Model,
): readonly number[] {
  if (source.kind === 'ids') return source.ids;
  const { tokenizer } = model;
  if (!tokenizer)
    throw new InputError(
      `The model ${model.reference} has no tokenizer.json; give the prompt as --prompt-ids.`,
    );
  if (!chat && system === undefined) return tokenizer.encodePrompt(source.text);
  const before = system === undefined ? [] : [{ role: 'system', content: system } as const];
  return tokenizer.encode(tokenizer.chat([...before, { role: 'user', content: source.text }]));
}
