/** The package has no types of its own. */
declare module 'proxy-from-env' {
  /** The proxy of an address by the environment; '' for none, also where NO_PROXY has the host. */
  export function getProxyForUrl(url: URL): string;
}
