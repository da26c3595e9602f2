import { getProxyForUrl } from 'proxy-from-env';
import type { ProxyAgent } from 'undici';
import { InputError } from '../errors.js';
import { networkReason, ProxyFault } from './network-fault.js';

/** The proxy of an address. */
interface Proxy {
  /** The variable that names it. */
  readonly variable: string;
  readonly url: URL;
}

/** One for each proxy, so that its connections are used again. */
const agents = new Map<string, ProxyAgent>();

/**
 * `fetch`, through the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names for the address unless NO_PROXY has its host: Node 20's
 * own knows none of them.
 * @throws InputError where the variable names no proxy that can be used, or the proxy refuses; ProxyFault where no answer comes
 */
export async function fetchByProxy(
  target: URL,
  init: { readonly headers: Headers; readonly redirect: 'manual'; readonly signal: AbortSignal },
): Promise<Response> {
  const proxy = proxyOf(target);
  if (proxy === undefined) return fetch(target, init);
  // With its own `fetch`: those of other releases of Node speak to other releases of it.
  const { fetch: send, ProxyAgent } = await import('undici');
  const { href } = proxy.url;
  const dispatcher =
    agents.get(href) ??
    // Plain HTTP is forwarded, as by other tools: few proxies open tunnels to other ports than that of HTTPS.
    new ProxyAgent({ uri: href, proxyTunnel: false, ...credentials(proxy) });
  agents.set(href, dispatcher);
  try {
    return await send(target, { ...init, dispatcher });
  } catch (error) {
    init.signal.throwIfAborted();
    throw refusalOf(proxy, target, error) ?? new ProxyFault(proxy.variable, proxy.url, error);
  }
}

/** Undefined where a request goes straight to its host. */
function proxyOf(target: URL): Proxy | undefined {
  if (getProxyForUrl(target) === '') return undefined;
  // As the package has looked it up, which says neither where nor as what: without a scheme it takes the target's.
  const names = [`${target.protocol.slice(0, -1)}_proxy`, 'all_proxy'];
  const variable = names
    .flatMap((name) => [name, name.toUpperCase()])
    .find((name) => process.env[name]);
  if (variable === undefined) return undefined;
  const text = process.env[variable] ?? '';
  const address = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return { variable, url };
  // Not quoted: it may have a password.
  throw new InputError(
    `${variable} is not the address of an HTTP proxy: give one such as http://proxy.example.org:3128, or unset it.`,
  );
}

function credentials({ variable, url: { username, password } }: Proxy): { token?: string } {
  if (username === '') return {};
  try {
    const both = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { token: `Basic ${Buffer.from(both).toString('base64')}` };
  } catch {
    throw new InputError(
      `The name or password in ${variable} has a % that begins no escape: write it as %25.`,
    );
  }
}

/** What the proxy says in place of an answer, where trying again cannot help; its library has the status in a message alone. */
function refusalOf({ variable, url }: Proxy, target: URL, error: unknown): InputError | undefined {
  const status = Number(/\((\d{3})\)/.exec(networkReason(error))?.[1]);
  const proxy = `The proxy ${url.host} of ${variable}`;
  if (status === 407)
    return new InputError(
      url.username === ''
        ? `${proxy} asks for a name and a password (407): put them into the variable, as http://NAME:PASSWORD@${url.host}.`
        : `${proxy} does not accept the name and password that the variable has (407): correct them.`,
    );
  if (status >= 400 && status < 500)
    return new InputError(
      `${proxy} does not let requests through to ${target.host} (${status}): ask whoever runs it, or name the host in NO_PROXY.`,
    );
  return undefined;
}
