import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import type { ChatDocument } from '../src/cli/chat.js';
import { integerFlag, methodFlags, modelFlags, samplingFlags, seedFlag } from '../src/cli/flags.js';

export default class Chat extends BaseCommand {
  static override readonly summary =
    'Talk with a model in the terminal, faster with a skip profile.';
  static override readonly description =
    'Answers appear as they are made, coloured by where each token came from. /help lists what else there is: /stats, /system TEXT, /reset, /save FILE, /quit. Ctrl-C stops an answer, Ctrl-D leaves. From a pipe every line is a message. Of a conversation that goes on only what is new runs through the model. A model without a chat template goes on with the text.';
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> --model HuggingFaceTB/SmolLM2-135M-Instruct --method lookup',
    '<%= config.bin %> <%= command.id %> --profile profile.json --system "Answer briefly." --temperature 0.7',
    'printf "one day\\nand then\\n" | <%= config.bin %> <%= command.id %> --max-new-tokens 40 --json',
  ];
  static override readonly flags = {
    system: Flags.string({ helpValue: 'TEXT', summary: 'A system message before all others.' }),
    'max-new-tokens': integerFlag(
      'max-new-tokens',
      1,
    )({
      default: 512,
      summary: 'Most tokens of an answer.',
    }),
    stop: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'TEXT',
      summary: 'Text that ends an answer, itself left out; may be repeated.',
    }),
    ...seedFlag,
    'show-draft': Flags.boolean({
      allowNo: true,
      summary:
        'Colour answers by where each token came from [default: where there are colours and drafts].',
    }),
    ...methodFlags,
    ...samplingFlags,
    ...modelFlags,
  };

  async run(): Promise<ChatDocument> {
    const { flags } = await this.parse(Chat);
    const { runChat } = await import('../src/cli/chat.js');
    return runChat(flags, {
      isPrinted: !this.jsonEnabled(),
      notice: (text) => this.notice(text, flags.quiet),
    });
  }
}
