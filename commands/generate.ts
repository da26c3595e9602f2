import { Flags } from '@oclif/core';
import type { AnswersDocument, AnswersFlags } from '../src/cli/answers.js';
import { BaseCommand } from '../src/cli/base-command.js';
import { integerFlag, methodFlags, modelFlags, samplingFlags, seedFlag } from '../src/cli/flags.js';
import type { GenerateDocument } from '../src/reporting/generation.js';

const PROMPT = 'PROMPT';
const MANY = 'MANY PROMPTS';

export default class Generate extends BaseCommand {
  static override readonly summary = 'Decode a prompt, faster with a skip profile.';
  static override readonly description =
    `The new text goes to stdout as it is made. It does not depend on the method, only the time does.
The prompt is --prompt, --prompt-file, --prompt-ids or stdin; or all prompts of --dataset are answered into a file.`;
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> --prompt "Once upon a time" --stats',
    '<%= config.bin %> <%= command.id %> --prompt "def add(a, b):" --skip-attention 3,5 --skip-mlp 4 --show-draft',
    '<%= config.bin %> <%= command.id %> --prompt "Once upon a time" --profile profile.json',
    'echo "Once upon a time" | <%= config.bin %> <%= command.id %> --temperature 0.8 --seed 7 --json',
    '<%= config.bin %> <%= command.id %> --dataset prompts.jsonl --output answers.jsonl',
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
      allowNo: true,
      helpGroup: PROMPT,
      summary:
        "Make the prompt a user's message in the model's chat template [default: no; of --dataset, instructions are].",
    }),
    system: Flags.string({
      helpGroup: PROMPT,
      helpValue: 'TEXT',
      exclusive: ['prompt-ids'],
      summary: 'A system message before it; asks for --chat.',
    }),
    dataset: Flags.string({
      helpGroup: MANY,
      helpValue: 'REF',
      dependsOn: ['output'],
      exclusive: ['prompt', 'prompt-file', 'prompt-ids', 'show-draft'],
      summary: 'Prompts: a bundled dataset (sspec dataset list) or a JSONL, CSV or text file.',
    }),
    output: Flags.string({
      char: 'o',
      helpGroup: MANY,
      helpValue: 'FILE',
      dependsOn: ['dataset'],
      summary: 'JSONL file for the answers: a line for each with id, text, token ids and figures.',
    }),
    limit: integerFlag(
      'limit',
      1,
    )({
      helpGroup: MANY,
      dependsOn: ['dataset'],
      summary: 'Most prompts of the dataset [default: all].',
    }),
    resume: Flags.boolean({
      helpGroup: MANY,
      dependsOn: ['dataset'],
      summary: 'Go on with the file: what it has is not made again.',
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

  async run(): Promise<GenerateDocument | AnswersDocument> {
    const { flags } = await this.parse(Generate);
    const { dataset, output } = flags;
    if (dataset !== undefined && output !== undefined)
      return this.answer({ ...flags, dataset, output });
    const { runGeneration } = await import('../src/cli/generation.js');
    const { figuresTable } = await import('../src/reporting/generation.js');
    const document = await runGeneration(flags, {
      isPrinted: !this.jsonEnabled(),
      notice: (text) => this.notice(text, flags.quiet),
    });
    if (flags.stats && !this.jsonEnabled()) process.stderr.write(`\n${figuresTable(document)}\n`);
    return document;
  }

  /** All prompts of a dataset. */
  private async answer(
    flags: AnswersFlags & { readonly stats: boolean },
  ): Promise<AnswersDocument> {
    const { answerDataset } = await import('../src/cli/answers.js');
    const { answersTable } = await import('../src/reporting/generation.js');
    const document = await answerDataset(flags, (text) => this.notice(text, flags.quiet));
    const { answers, known, output, stats } = document;
    const before = known === 0 ? '' : `, ${known} of them from before`;
    this.print(`${answers} answers in ${output}${before}.`);
    if (flags.stats && !this.jsonEnabled())
      process.stderr.write(`\n${answersTable(document.method, document.new_tokens, stats)}\n`);
    return document;
  }
}
