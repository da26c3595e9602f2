import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hubHome } from '../checkpoint/hub-snapshot.js';
import { InputError } from '../errors.js';

/** HF_ENDPOINT (a mirror), else the Hub itself; without a slash at its end. */
export function hubEndpoint(): string {
  const text = process.env.HF_ENDPOINT || 'https://huggingface.co';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new InputError(
      `HF_ENDPOINT is "${text}": give the address of a Hub, such as https://huggingface.co.`,
    );
  return text.replace(/\/+$/, '');
}

/** HF_TOKEN, else what `hf auth login` has stored (HF_TOKEN_PATH, `token` in HF_HOME); undefined for nobody in particular. */
export function hubToken(): string | undefined {
  const { HF_TOKEN, HF_TOKEN_PATH } = process.env;
  const token = (HF_TOKEN || readToken(HF_TOKEN_PATH || join(hubHome(), 'token'))).trim();
  if (token === '') return undefined;
  // What a header cannot carry would end in an error that shows the token.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new InputError(
      'The token of the Hub (HF_TOKEN, or the file token in HF_HOME) has characters that no token has; set it again.',
    );
  return token;
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whether HF_HUB_OFFLINE (which --offline sets) forbids to ask the network, as huggingface_hub reads it. */
export function isOffline(): boolean {
  return /^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? '');
}
