import { InputError } from '../errors.js';
import { type HubClient, type Repository, repositoryId, repositoryPage } from './client.js';
import { networkReason, ProxyFault } from './network-fault.js';

/** What is told of an answer that is no success; one sentence. */
export function refusal(client: HubClient, repository: Repository, response: Response): InputError {
  const { status } = response;
  const page = repositoryPage(client.endpoint, repository);
  const id = repositoryId(repository);
  const { kind, revision } = repository;
  const hasToken = client.token !== undefined;
  switch (response.headers.get('X-Error-Code')) {
    case 'GatedRepo':
      return new InputError(
        hasToken
          ? `The ${kind} ${id} is gated and the account of your token has no access: accept its conditions at ${page} (some authors answer by hand), then try again.`
          : `The ${kind} ${id} is gated: accept its conditions at ${page}, then set HF_TOKEN to a token of that account (${client.endpoint}/settings/tokens).`,
      );
    case 'RevisionNotFound':
      return new InputError(
        `The ${kind} ${id} has no revision "${revision}": see its branches and tags at ${page}/tree/main.`,
      );
    case 'EntryNotFound':
      return new InputError(
        `The ${kind} ${id} has no such file at revision "${revision}": see ${page}/tree/${revision}.`,
      );
    case 'RepoNotFound':
      return notFound(client, repository);
  }
  // Who may not know whether a private repository exists gets 401, as for one that does not.
  if (status === 404 || (status === 401 && !hasToken)) return notFound(client, repository);
  if (status === 401)
    return new InputError(
      `${client.endpoint} does not accept your token (HF_TOKEN, or the file token in HF_HOME): make a new one at ${client.endpoint}/settings/tokens, or unset it.`,
    );
  if (status === 403)
    return new InputError(
      `${client.endpoint} forbids access to the ${kind} ${id}: look at ${page}, and at what the token in HF_TOKEN may read.`,
    );
  if (status === 429)
    return new InputError(
      `${client.endpoint} still refuses after ${client.patience.attempts} tries (429, too many requests): try again later${hasToken ? '' : ', or set HF_TOKEN, which allows more'}.`,
    );
  const after = status >= 500 ? ` after ${client.patience.attempts} tries` : '';
  return new InputError(
    `${client.endpoint} answers with status ${status} for the ${kind} ${id}${after}: try again later.`,
  );
}

/** What is told where the storage refuses that the Hub sends to for large files: who asks and for what it does not know. */
export function storageRefusal(
  { endpoint, patience }: HubClient,
  { kind, ...repository }: Repository,
  storage: string,
  status: number,
): InputError {
  return new InputError(
    `${storage}, where ${endpoint} has files of the ${kind} ${repositoryId(repository)}, answers with status ${status} after ${patience.attempts} tries: try again later, or see whether a firewall stands between.`,
  );
}

function notFound({ endpoint, token }: HubClient, repository: Repository): InputError {
  const { kind } = repository;
  const isPrivate = `a private one${token === undefined ? ' (then set HF_TOKEN)' : ' that your token may not read'}`;
  return new InputError(
    `"${repositoryId(repository)}" is neither a folder here nor a ${kind} on ${endpoint}, unless ${isPrivate}: check the name.`,
  );
}

/** No answer came at all. */
export class UnreachableError extends InputError {}

/** What is told when no answer comes at all. */
export function unreachable({ endpoint }: HubClient, error: unknown): UnreachableError {
  const proxy = error instanceof ProxyFault ? ` ${error.variable},` : '';
  return new UnreachableError(
    `Cannot reach ${endpoint} (${networkReason(error)}): check the network,${proxy} or HF_ENDPOINT; with --offline only the cache is used.`,
  );
}
