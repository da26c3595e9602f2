import { InputError } from '../errors.js';
import { errorCode, errorMessage } from '../files.js';

/** What an error says of itself beside its status, as OpenAI's clients read it. */
export interface ErrorDetails {
  /** A word that programs can tell it by. */
  readonly code: string;
  /** The parameter at fault. */
  readonly param?: string | null;
  /** Seconds after which it is worth trying again. */
  readonly retryAfter?: number;
}

/** The body of every answer that is not a success. */
export interface ErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: string | null;
    readonly param: string | null;
  };
}

/** An answer that is an error: thrown anywhere while a request is served. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly param: string | null;
  readonly retryAfter: number | undefined;

  constructor(
    readonly status: number,
    message: string,
    { code, param = null, retryAfter }: ErrorDetails,
  ) {
    super(message);
    this.code = code;
    this.param = param;
    this.retryAfter = retryAfter;
  }
}

/** A request that cannot be served as it is. */
export function badRequest(message: string, code: string, param: string | null = null): ApiError {
  return new ApiError(400, message, { code, param });
}

/** The client went away: nobody reads this, but the metrics count it. nginx has the number. */
export class ClientGone extends ApiError {
  constructor() {
    super(499, 'The client closed the connection.', { code: 'client_closed' });
  }
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/** What a request says is not sent back at any length. */
const MOST_CHARACTERS = 400;

export function errorBody({ status, message, code, param }: ApiError): ErrorBody {
  const type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { error: { message: shortened(message), type, code, param: param && shortened(param) } };
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}

/** What fastify throws before a handler runs, by its own codes; others of its errors have a status that says enough. */
const FASTIFY: Readonly<Record<string, readonly [status: number, code: string, message: string]>> =
  {
    FST_ERR_CTP_BODY_TOO_LARGE: [413, 'body_too_large', 'The body is too large; see --max-body.'],
    FST_ERR_CTP_INVALID_MEDIA_TYPE: [
      415,
      'unsupported_media_type',
      'Send JSON, with the header Content-Type: application/json.',
    ],
    FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'invalid_json', 'The body is empty; send a JSON object.'],
    FST_ERR_CTP_INVALID_JSON_BODY: [400, 'invalid_json', 'The body is not valid JSON.'],
  };

/**
 * Turns whatever was thrown into the answer. What is nobody's fault but ours says nothing of how it came about.
 * @param told is told what such an error was.
 */
export function toApiError(error: unknown, told: (message: string) => void): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof InputError) return badRequest(error.message, 'invalid_value');
  const known = FASTIFY[errorCode(error) ?? ''];
  if (known) return new ApiError(known[0], known[2], { code: known[1] });
  if (error instanceof SyntaxError)
    return badRequest('The body is not valid JSON.', 'invalid_json');
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500)
    return new ApiError(status, errorMessage(error), { code: 'bad_request' });
  told(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return new ApiError(500, 'The server failed; its own output says how.', { code: 'internal' });
}
