import { datasetInfo, listFiles, modelInfo } from '@huggingface/hub';
import { z } from 'zod';
import { isPlainPath } from '../checkpoint/hub-reference.js';
import { InputError } from '../errors.js';
import { errorMessage } from '../files.js';
import { type HubClient, type Repository, repositoryId } from './client.js';
import { backoff, pause } from './pause.js';
import { unreachable } from './refusal.js';
import { requestHub } from './request.js';

/** No repository of weights has nearly as many. */
const MAX_FILES = 100_000;

const infoSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });
const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().nonnegative(),
  oid: z.string(),
  lfs: z
    .object({
      oid: z.string().regex(/^[0-9a-f]{64}$/),
      size: z.number().int().nonnegative(),
    })
    .optional(),
});
const oidSchema = z.string().regex(/^[0-9a-f]{40}$/);

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** How its bytes are checked. */
  readonly algorithm: 'sha256' | 'git-sha1';
  /** The hash, which is its name among the blobs of the cache, too. */
  readonly hash: string;
}

/** What a repository has at a revision. */
export interface Listing {
  /** What the revision stands for now. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

/**
 * Asks for the commit of a revision and the files of that commit.
 * @throws InputError for what the Hub refuses, for an answer that is none of the Hub's, and for a name that is no plain path
 */
export async function listRepository(client: HubClient, repository: Repository): Promise<Listing> {
  const { kind, revision } = repository;
  const name = repositoryId(repository);
  // The library checks tokens for a prefix that mirrors do not have, and sends them wherever a page's `next` leads.
  const ask: typeof fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    return wholeAnswer(client, repository, url, Object.fromEntries(new Headers(init?.headers)));
  };
  const from = { hubUrl: client.endpoint, fetch: ask };
  const wanted = { ...from, name, revision };
  const info = await understood(client, () =>
    kind === 'model'
      ? modelInfo({ ...wanted, additionalFields: ['sha'] })
      : datasetInfo({ ...wanted, additionalFields: ['sha'] }),
  );
  const { sha: commit } = parsed(client, infoSchema, info);
  const files: HubFile[] = [];
  await understood(client, async () => {
    const repo = { type: kind, name } as const;
    for await (const entry of listFiles({ ...from, repo, revision: commit, recursive: true })) {
      const { type, path, size, oid, lfs } = parsed(client, entrySchema, entry);
      if (!isPlainPath(path))
        throw new InputError(
          `${client.endpoint} lists a file ${JSON.stringify(path)} in ${name}, which would lie outside its folder; nothing is downloaded.`,
        );
      if (files.length >= MAX_FILES)
        throw new InputError(`${name} has more than ${MAX_FILES} files, which no model has.`);
      if (type !== 'file') continue;
      files.push(
        lfs === undefined
          ? { path, size, algorithm: 'git-sha1', hash: parsed(client, oidSchema, oid) }
          : { path, size: lfs.size, algorithm: 'sha256', hash: lfs.oid },
      );
    }
  });
  return { commit, files };
}

/** An answer that has arrived to its end, so that a cut connection is a reason to try again here, too. */
async function wholeAnswer(
  client: HubClient,
  repository: Repository,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await requestHub(client, repository, url, { headers });
    try {
      return new Response(await response.text(), { headers: response.headers });
    } catch (error) {
      client.signal.throwIfAborted();
      if (attempt >= client.patience.attempts) throw unreachable(client, error);
      await pause(client, backoff(attempt, client.patience), 'the connection was cut');
    }
  }
}

function parsed<T>(client: HubClient, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw strange(client, result.error.issues[0].message);
}

/** A page of HTML in place of JSON, as a proxy's or a hotel's, or JSON of another form, is a fault of what was given, too. */
async function understood<T>(client: HubClient, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InputError(
        `${client.endpoint} answers with something that is not JSON: check HF_ENDPOINT, and whether a proxy answers in its place.`,
      );
    // The library looks for fields without asking whether there are any.
    if (error instanceof TypeError) throw strange(client, errorMessage(error));
    throw error;
  }
}

function strange(client: HubClient, what: string): InputError {
  return new InputError(
    `${client.endpoint} does not answer as the Hub does (${what}): check HF_ENDPOINT.`,
  );
}
