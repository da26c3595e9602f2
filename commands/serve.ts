import { Flags } from '@oclif/core';
import { BaseCommand } from '../src/cli/base-command.js';
import { InterruptedError } from '../src/cli/failure.js';
import { methodFlags, modelFlags, numberFlag, samplingFlags } from '../src/cli/flags.js';
import { interruptible } from '../src/cli/interrupt.js';
import { serveFlags } from '../src/cli/serve-flags.js';
import type { Model } from '../src/engine/load-model.js';
import { InputError } from '../src/errors.js';
import type { ServerOptions } from '../src/server/options.js';

/** What `--json` prints once the server has been stopped. */
interface ServeDocument {
  readonly url: string;
  readonly model: string;
  readonly precision: string;
  /** That of requests which name no profile. */
  readonly method: string;
  readonly profiles: readonly string[];
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly proposed_tokens: number;
  readonly accepted_tokens: number;
}

export default class Serve extends BaseCommand {
  static override readonly summary =
    "Serve a model to OpenAI's clients, and a chat to browsers, faster with a skip profile.";
  static override readonly description =
    `POST /v1/chat/completions and /v1/completions, GET /v1/models, /health and /metrics (Prometheus), a chat at /. One request is answered at a time; the others wait, each client in its turn. SIGINT or SIGTERM stops the server: the running request has --grace seconds to end. The sampling flags are what holds where a request does not say. Of several profiles a request's field "profile" names one; "auto" takes the one that has been fastest for the kind of text.`;
  static override readonly examples = [
    '<%= config.bin %> <%= command.id %> --profile profile.json',
    '<%= config.bin %> <%= command.id %> --profile stories=profile.json --profile code=code.json',
    'SSPEC_API_KEY=secret <%= config.bin %> <%= command.id %> --model ./my-model --host 0.0.0.0',
  ];
  static override readonly flags = {
    ...serveFlags,
    ...methodFlags,
    profile: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'DRAFTING',
      helpValue: '[NAME=]FILE',
      summary: 'Skip profile to draft with, the first by default; may be repeated, with names.',
    }),
    ...samplingFlags,
    temperature: numberFlag('temperature')({
      default: 1,
      helpGroup: 'SAMPLING',
      summary: 'Temperature; 0 is greedy decoding.',
    }),
    ...modelFlags,
  };

  async run(): Promise<ServeDocument> {
    const { flags } = await this.parse(Serve);
    const { samplingOptions } = await import('../src/cli/method.js');
    const { namedFiles, servedProfiles } = await import('../src/cli/served-profiles.js');
    const { keepDrafts } = await import('../src/decoding/method.js');
    const { loadModelWithProgress } = await import('../src/cli/load.js');
    const { checkExactness } = await import('../src/cli/exactness.js');
    const { readProfile } = await import('../src/profile/profile.js');
    const { createServer } = await import('../src/server/server.js');
    const { listeningAt, modelNameOf, servedHosts } = await import('../src/server/address.js');
    const { 'api-key': apiKey = null, host } = flags;
    if (apiKey === '')
      throw new InputError('The API key is empty; give one, or unset SSPEC_API_KEY.');
    const sampling = samplingOptions({ ...flags, seed: 0 });
    const files = namedFiles(flags.profile ?? []);
    const [first] = files;
    const model: Model = await loadModelWithProgress(flags, first && readProfile(first.file));
    let releaseDrafts = async () => {};
    try {
      const { profile: _files, ...drafting } = flags;
      const { profiles, warnings } = servedProfiles(drafting, files, model.engine);
      const methods = profiles.map(({ method }) => method);
      // Else every change of profile would load one anew.
      releaseDrafts = await keepDrafts(model.engine, methods);
      const { exact, warnings: inexact } = await checkExactness(model.engine, flags.quiet);
      for (const warning of [...warnings, ...inexact]) this.notice(warning, flags.quiet);
      const options: ServerOptions = {
        ...{ profiles, sampling, coupling: flags.coupling, apiKey, cors: flags.cors ?? [] },
        modelName: flags.name ?? modelNameOf(model.reference),
        hosts: servedHosts(host, apiKey),
        maxQueue: flags['max-queue'],
        maxBody: flags['max-body'],
        maxTokens: flags['max-tokens'],
        maxChoices: flags['max-choices'],
        timeout: flags.timeout,
        // Where passes of other lengths give other bits, what was kept could change a text.
        conversations: exact ? flags.conversations : 0,
        onFailure: (message) => process.stderr.write(`${message}\n`),
      };
      if (options.hosts === null && apiKey === null)
        this.notice(
          'Everybody who reaches this machine may use the model; a key (SSPEC_API_KEY) keeps others out.',
          flags.quiet,
        );
      const server = createServer(model, options);
      const url = await listeningAt(server, host, flags.port);
      const { precision } = model.engine.model;
      const method = methods[0]!.name;
      const line = `${options.modelName} (${precision}, ${method}) at ${url}`;
      if (this.jsonEnabled()) this.notice(line, flags.quiet);
      else this.print(line);
      const stopped = interruptible(async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        // What follows the ^C of a terminal is to begin on a line of its own.
        if (process.stderr.isTTY) process.stderr.write('\n');
        await server.close(flags.grace);
      });
      // It is how a server ends, and not a fault.
      await stopped.catch((error) => {
        if (!(error instanceof InterruptedError)) throw error;
      });
      return {
        ...{ url, model: model.reference, precision, method },
        profiles: profiles.map(({ name }) => name),
        prompt_tokens: server.totals.promptTokens,
        completion_tokens: server.totals.completionTokens,
        proposed_tokens: server.totals.proposedTokens,
        accepted_tokens: server.totals.acceptedTokens,
      };
    } finally {
      await releaseDrafts();
      await model.close();
    }
  }
}
